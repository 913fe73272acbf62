"""A manifest handed on: read again as it was, or refused in one line."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator, manifest_file
from sginpaint.evaluation.overlap import describe_overlap
from sginpaint.evaluation.pairing import manifest_of
from tests.evaluation.toy import (
  ATTRIBUTES,
  CLASSES,
  SIZE,
  PlainExamples,
  PlainSystem,
  load_toy,
  plain_split,
)

COUNT = 6


@dataclasses.dataclass(frozen=True)
class _Shifted(PlainExamples):
  """The same ids, one place further on; another picture under one of them."""

  changed: str = ""

  @property
  def ids(self):
    return ["plain_new", *(f"plain_{i}" for i in range(self.count - 1))]

  def content(self, index):
    known = super().content(index - 1) if index else "new"
    return "changed" if self.ids[index] == self.changed else known

  def __getitem__(self, index):
    return super().__getitem__(max(index - 1, 0))


def _split(examples):
  return Split("test", examples, CLASSES, ATTRIBUTES)


@pytest.fixture
def masks(tmp_path):
  folder = tmp_path / "masks"
  folder.mkdir()
  for i in range(4):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[: 2 * i + 2, :8] = 255
    Image.fromarray(mask).save(folder / f"{i}.png")
  return folder


def _evaluate(folder, split=None, **fields):
  loaded = load_toy(PlainSystem(off=8), batch_size=COUNT, **fields)
  return evaluator.evaluate(
    loaded, split or plain_split(COUNT), output_dir=folder, progress=False
  )


def _again(path, split=None, **fields):
  config = load_toy(PlainSystem(), manifest=str(path), **fields).config
  return manifest_of(split or plain_split(COUNT), config, count=0)


class TestWritten:
  def test_a_line_per_pair_and_a_header(self, tmp_path, masks):
    metrics = _evaluate(tmp_path, masks=str(masks))
    text = (tmp_path / "manifest.jsonl").read_text()
    header, *lines = map(json.loads, text.splitlines())
    assert header["hash"] == metrics["provenance"]["manifest_hash"]
    assert (header["split"], header["count"]) == ("test", COUNT)
    assert [line["image"] for line in lines] == plain_split(COUNT).ids
    for line in lines:
      rows = 2 * int(line["mask"].removesuffix(".png")) + 2
      assert line["ratio"] == rows * 8 / SIZE**2
      assert (line["crop"], line["flip"]) == (None, False)
      assert line["image_hash"].startswith("grey")
      assert len(line["mask_hash"]) == 64


class TestRead:
  @pytest.mark.parametrize("kind", ["irregular", "rectangle", "files"])
  def test_other_settings_and_places_give_the_same_numbers(
    self, kind, tmp_path, masks
  ):
    kind = str(masks) if kind == "files" else kind
    first = _evaluate(tmp_path / "a", masks=kind, seed=5, count=4)
    second = _evaluate(
      tmp_path / "b",
      _split(_Shifted(COUNT + 1)),
      manifest=str(tmp_path / "a" / "manifest.jsonl"),
      masks="center" if kind != str(masks) else "irregular",
    )
    assert second["count"] == 4
    assert second["masks"] == kind
    assert second["metrics"] == first["metrics"]
    for name in ("seed", "manifest_hash", "mask_set_hash"):
      assert second["provenance"][name] == first["provenance"][name]

  def test_masks_are_looked_for_where_they_are_now(self, tmp_path, masks):
    _evaluate(tmp_path, masks=str(masks))
    there = masks.rename(tmp_path / "there")
    with pytest.raises(UserError, match="not here; name their folder"):
      _again(tmp_path / "manifest.jsonl")
    found = _again(tmp_path / "manifest.jsonl", masks=str(there))
    assert found.draw([0]).any()

  def test_own_crops_and_flips_are_evaluated(self, tmp_path):
    config = load_toy(PlainSystem()).config
    made = manifest_of(plain_split(COUNT), config, count=0)
    pairs = [dataclasses.replace(made.pairs[0], crop=(2, 3, 8, 8), flip=True)]
    made = dataclasses.replace(made, pairs=(*pairs, *made.pairs[1:]))
    path = tmp_path / "manifest.jsonl"
    path.write_text(manifest_file.to_jsonl(made, {}))
    assert _again(path).framings == {0: ((2, 3, 8, 8), True)}
    metrics = _evaluate(tmp_path / "eval", manifest=str(path))
    assert metrics["count"] == COUNT


class TestRefused:
  @pytest.fixture
  def path(self, tmp_path, masks):
    _evaluate(tmp_path, masks=str(masks))
    return tmp_path / "manifest.jsonl"

  def test_changed_or_no_manifest(self, path):
    text = path.read_text()
    path.write_text(text.replace('"place": 0', '"place": 9'))
    with pytest.raises(UserError, match="changed since it was written"):
      _again(path)
    path.write_text(text.replace('"place": 0', '"place": "first"'))
    with pytest.raises(UserError, match="not a manifest"):
      _again(path)
    path.write_text("picture,mask\n")
    with pytest.raises(UserError, match="not a manifest"):
      _again(path)

  def test_other_pictures(self, path):
    with pytest.raises(UserError, match="1 of its 6 pictures are not in split"):
      _again(path, plain_split(COUNT - 1))
    changed = _split(_Shifted(COUNT + 1, changed="plain_3"))
    with pytest.raises(UserError, match="picture plain_3 .* is not the one"):
      _again(path, changed)
    config = load_toy(PlainSystem(), manifest=str(path)).config
    config.data.image_size = 2 * SIZE
    with pytest.raises(UserError, match="stretch-16px.* stretch-32px"):
      manifest_of(plain_split(COUNT), config, count=0)

  def test_other_masks(self, path, masks):
    Image.new("L", (SIZE, SIZE), 255).save(masks / "2.png")
    with pytest.raises(UserError, match="mask 2.png .* is not the one"):
      _again(path)
    (masks / "1.png").unlink()
    with pytest.raises(UserError, match="1 of its 4 masks are not in"):
      _again(path)


class TestOverlap:
  def _found(self, split, masks, trained):
    config = load_toy(PlainSystem(), masks=masks).config
    config.masks.path = trained
    manifest = manifest_of(split, config, count=0)
    return describe_overlap(split, manifest, config)

  def test_pictures_and_masks_are_known_by_content(
    self, masks, tmp_path, caplog
  ):
    trained = tmp_path / "trained"
    trained.mkdir()
    (trained / "renamed.png").write_bytes((masks / "3.png").read_bytes())
    split = dataclasses.replace(
      plain_split(COUNT), siblings={"train": _Shifted(3)}
    )
    found = self._found(split, str(masks), str(trained))
    assert found == {"pictures": 2, "masks": 1}
    assert "2 of 6 evaluated pictures are also in split train" in caplog.text
    assert "such as 3.png" in caplog.text

  def test_what_cannot_be_compared_is_none(self, masks):
    split = plain_split(COUNT)
    expected = {"pictures": None, "masks": None}
    assert self._found(split, "center", str(masks)) == expected
    assert self._found(split, str(masks), "") == expected
