"""Classifiers and segmenters scored whole and with holes, by hand."""

import csv
import dataclasses
import json

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.in_loop import InLoop
from sginpaint.evaluation.sharing import Records
from sginpaint.systems.base import System
from tests.evaluation.toy import (
  SIZE,
  PlainExamples,
  PlainSystem,
  load_toy,
  plain_split,
)


@dataclasses.dataclass(frozen=True)
class _Reads(System):
  """Sees in each pixel whether the picture's number is odd; in grey, 1."""

  generator: nn.Module = dataclasses.field(default_factory=nn.Module)

  def _odd(self, image):
    level = image[..., 0] * 127.5 + 127.5
    return jnp.round((level - 20) / 10).astype(jnp.int32) % 2


class _Attributes(_Reads):
  """Of the pixel in the middle."""

  def predict(self, variables, frozen, batch):
    sign = self._odd(batch.image)[:, SIZE // 2, SIZE // 2] * 2.0 - 1
    return {"attribute_logits": jnp.stack([sign, -sign], axis=-1)}


class _Classes(_Reads):
  """Of every pixel."""

  def predict(self, variables, frozen, batch):
    odd = self._odd(batch.image)
    return {"segmentation": odd, "confidence": jnp.ones(odd.shape)}


class _Broken(_Reads):
  """Right about whole pictures only."""

  def predict(self, variables, frozen, batch):
    grey = batch.image[:, SIZE // 2, SIZE // 2, :1] == 0
    return {"attribute_logits": jnp.where(grey, jnp.nan, jnp.ones((1, 2)))}


@dataclasses.dataclass(frozen=True)
class _Unknown(PlainExamples):
  """Whether the first picture is bright is not known."""

  def __getitem__(self, index):
    example = super().__getitem__(index)
    if index == 0:
      example["attributes"] = np.array([np.nan, 1], np.float32)
    return example


def _evaluate(system, folder, *, examples=None, masks="center", **fields):
  split = plain_split(6)
  if examples is not None:
    split = dataclasses.replace(split, examples=examples)
  loaded = load_toy(system, masks=masks, **fields)
  metrics = evaluator.evaluate(loaded, split, output_dir=folder)
  assert metrics == json.loads((folder / "metrics.json").read_text())
  return metrics


def _table(folder):
  with (folder / "per_image.csv").open() as file:
    return list(csv.DictReader(file))


def test_classifier_by_hand(tmp_path):
  """With holes everything looks bright: one threshold, and no rank."""
  metrics = _evaluate(_Attributes(), tmp_path, examples=_Unknown(6))
  assert metrics["masks"] == "center"
  whole, corrupted = metrics["metrics"], metrics["corrupted"]["metrics"]
  assert whole["all"] == {"count": 6, "map": 1.0, "accuracy": 1.0}
  # Bright: 3 of the 5 known. Dark: 3 of 6, and never said.
  assert corrupted["all"] == {
    "count": 6,
    "map": pytest.approx((3 / 5 + 3 / 6) / 2),
    "accuracy": pytest.approx((3 + 3) / 11),
  }
  bright = {"known": 5, "share": pytest.approx(0.6)}
  assert metrics["attributes"]["bright"] == bright | {"ap": 1, "accuracy": 1}
  assert metrics["corrupted"]["attributes"] == {
    "bright": bright | {"ap": pytest.approx(0.6), "accuracy": 0.6},
    "dark": {"ap": 0.5, "accuracy": 0.5, "known": 6, "share": 0.5},
  }
  rows = _table(tmp_path)
  assert [row["bright"] for row in rows] == ["-1.0000", "1.0000"] * 3
  assert {row["corrupted_bright"] for row in rows} == {"1.0000"}
  assert [row["true_bright"] for row in rows] == ["", *"10101"]


def test_segmenter_by_hand(tmp_path):
  """A quarter of each picture is hole, and taken for class 1."""
  metrics = _evaluate(_Classes(), tmp_path)
  assert metrics["metrics"]["all"]["miou"] == 1.0
  found = metrics["corrupted"]
  assert found["metrics"]["all"] == {
    "count": 6,
    "miou": pytest.approx((3 / 4 + 4 / 5) / 2),
    "pixel_accuracy": pytest.approx(7 / 8),
    "mean_accuracy": pytest.approx((3 / 4 + 1) / 2),
    "hole_miou": pytest.approx((0 + 1 / 2) / 2),
    "hole_pixel_accuracy": 0.5,
    "hole_mean_accuracy": 0.5,
  }
  assert found["baselines"]["most_common"]["all"]["hole_miou"] == 0.25
  assert found["classes"]["sky"]["iou"] == pytest.approx(3 / 4)
  assert found["classes"]["sky"]["hole_iou"] == 0.0
  inside = [row["corrupted_hole_pixel_accuracy"] for row in _table(tmp_path)]
  assert inside == ["0.000000", "1.000000"] * 3


@pytest.mark.parametrize("system", [_Attributes(), _Classes()])
def test_report_shows_both(tmp_path, system):
  _evaluate(system, tmp_path)
  page = (tmp_path / "report.html").read_text()
  assert "with holes" in page.lower() and "http" not in page
  words = "With holes: AP" if isinstance(system, _Attributes) else "Inside: IoU"
  assert words in page
  _evaluate(system, tmp_path, masks="none")
  assert words not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("system", [_Attributes(), _Classes()])
def test_without_masks_pictures_are_whole(tmp_path, system):
  metrics = _evaluate(system, tmp_path, masks="none")
  assert metrics["masks"] == "none" and "corrupted" not in metrics
  assert "seed" not in metrics["provenance"]
  assert not (tmp_path / "manifest.jsonl").exists()
  assert not [name for name in _table(tmp_path)[0] if "corrupted" in name]


def test_holes_are_those_of_an_inpainting_system(tmp_path):
  """The same pairs, the same pixels; of fewer pictures the same again."""
  folders = {name: tmp_path / name for name in ("reads", "fills", "few")}
  found = {
    name: _evaluate(
      PlainSystem() if name == "fills" else _Attributes(),
      folder,
      masks="irregular",
      count=4 if name == "few" else 0,
    )["provenance"]
    for name, folder in folders.items()
  }
  lines = {
    name: (folder / "manifest.jsonl").read_text().splitlines()[1:]
    for name, folder in folders.items()
  }
  assert lines["reads"] == lines["fills"]
  assert lines["few"] == lines["reads"][:4]
  for name in ("seed", "manifest_hash", "mask_set_hash"):
    assert found["reads"][name] == found["fills"][name]


@pytest.mark.parametrize("system", [_Attributes(), _Classes()])
def test_a_manifest_says_which_pictures_and_holes(tmp_path, system):
  folders = [tmp_path / name for name in ("fills", "reads")]
  pairs = folders[0] / "manifest.jsonl"
  first = _evaluate(PlainSystem(), folders[0], masks="rectangle", count=2)
  rows = _table(folders[0])
  assert [row["index"] for row in rows] != ["0", "1"]
  metrics = _evaluate(
    system, folders[1], masks="none", manifest=str(pairs), count=1
  )
  assert [r["index"] for r in _table(folders[1])] == [r["index"] for r in rows]
  assert (metrics["count"], metrics["masks"]) == (2, "rectangle")
  for name in ("manifest_hash", "mask_set_hash"):
    assert metrics["provenance"][name] == first["provenance"][name]


def test_a_training_sees_both_scores():
  loaded = load_toy(_Attributes(), masks="center")
  found = InLoop(loaded, plain_split(6))({"params": {}}, {})
  whole = {"map": 1.0, "accuracy": 1.0}
  assert found == whole | {"corrupted_map": 0.5, "corrupted_accuracy": 0.5}


@pytest.mark.parametrize(
  ("system", "masks", "words"),
  [
    (_Broken(), "center", "NaN or infinity"),
    (PlainSystem(), "none", "config.eval.masks=none: plain fills"),
  ],
)
def test_what_cannot_be_scored(tmp_path, system, masks, words):
  with pytest.raises(UserError, match=words):
    _evaluate(system, tmp_path, masks=masks)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("system", [_Attributes(), _Classes()])
def test_killed_and_begun_again_the_files_are_the_same(
  tmp_path, system, monkeypatch
):
  whole, parted = tmp_path / "whole", tmp_path / "parted"
  _evaluate(system, whole, batch_size=2)
  written, write, most = [], Records.write, 2

  def interrupted(self, unit, record):
    if len(written) == most:
      raise KeyboardInterrupt
    written.append(unit)
    write(self, unit, record)

  monkeypatch.setattr(Records, "write", interrupted)
  with pytest.raises(KeyboardInterrupt):
    _evaluate(system, parted, batch_size=2)
  assert [path.name for path in parted.iterdir()] == ["partial"]
  most = 9
  _evaluate(system, parted, batch_size=2)
  assert written == [0, 1, 2]
  names = {path.name for path in whole.iterdir()}
  assert names == {path.name for path in parted.iterdir()}
  for name in names:
    assert (whole / name).read_bytes() == (parted / name).read_bytes()
