"""An evaluation that was interrupted ends with the numbers of a whole one."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.predictor import Predictor
from tests.evaluation.mapped import ALL_THREE, put_judge
from tests.evaluation.toy import (
  MapSystem,
  PlainClassifier,
  labelled_split,
  load_toy,
)

COUNT = 7


class _Reader(PlainClassifier):
  def predict(self, variables, frozen, batch):
    level = batch.image.mean((1, 2, 3))
    return {"attribute_logits": jnp.stack([level, -level], axis=-1)}


@pytest.fixture
def loaded(monkeypatch):
  """A system under everything that remembers something of a batch."""
  monkeypatch.setattr(
    "sginpaint.evaluation.judges.steps", lambda path: [7] * (path == "seg")
  )
  put_judge(
    monkeypatch, dataclasses.replace(load_toy(_Reader()), hash="5" * 64)
  )
  return load_toy(
    MapSystem(off=8),
    analyses=ALL_THREE,
    classifier="seg",
    outputs=("segmentation",),
    baselines=("telea", "mean_color"),
    batch_size=2,
    panels=2,
  )


def _evaluate(loaded, folder):
  return evaluator.evaluate(
    loaded, labelled_split(COUNT), output_dir=folder, progress=False
  )


def _interrupt(monkeypatch, after):
  """Makes the predictor fail after some calls; returns the calls made."""
  calls = []
  original = Predictor.__call__

  def call(self, *args):
    if len(calls) == after:
      raise KeyboardInterrupt
    calls.append(args)
    return original(self, *args)

  monkeypatch.setattr(Predictor, "__call__", call)
  return calls


def _texts(folder):
  names = ("metrics.json", "per_image.csv", "manifest.jsonl", "report.html")
  return {name: (folder / name).read_text() for name in names}


class TestResume:
  def test_killed_and_begun_again_the_files_are_the_same(
    self, loaded, tmp_path, monkeypatch
  ):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    _evaluate(loaded, whole)
    with monkeypatch.context() as patch:
      calls = _interrupt(patch, after=2)
      with pytest.raises(KeyboardInterrupt):
        _evaluate(loaded, parted)
    assert len(calls) == 2
    assert [path.name for path in parted.iterdir()] == ["partial"]
    with monkeypatch.context() as patch:
      calls = _interrupt(patch, after=9)
      _evaluate(loaded, parted)
    assert len(calls) == 2  # of four batches, the last of one picture
    assert _texts(parted) == _texts(whole)
    assert not (parted / "partial").exists()

  def test_another_checkpoint_begins_anew(self, loaded, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
      _interrupt(patch, after=2)
      with pytest.raises(KeyboardInterrupt):
        _evaluate(loaded, tmp_path)
    other = dataclasses.replace(loaded, hash="1" * 64)
    calls = _interrupt(monkeypatch, after=9)
    _evaluate(other, tmp_path)
    assert len(calls) == 4


class TestKnownPixels:
  def test_are_counted_and_a_change_is_refused(
    self, loaded, tmp_path, monkeypatch
  ):
    metrics = _evaluate(loaded, tmp_path)
    methods = ("system", "telea", "mean_color")
    assert metrics["known_changed"] == dict.fromkeys(methods, 0)
    monkeypatch.setattr(
      "sginpaint.evaluation.predictor.fill_batch",
      lambda name, truth, mask, pool: truth + np.uint8(name == "telea"),
    )
    with pytest.raises(UserError, match="telea changes .* known pixels"):
      _evaluate(loaded, tmp_path)


class TestClasses:
  def test_pictures_are_parted_by_their_classes(self, loaded, tmp_path):
    metrics = json.loads(json.dumps(_evaluate(loaded, tmp_path)))
    groups = metrics["by_classes"]["means"]["system"]
    assert list(groups) == ["all", "1-2"]  # there are two classes
    assert groups["1-2"] == groups["all"]
    # Of the groups only what every picture has: no scores of maps or sets.
    for name, mean in groups["all"].items():
      assert mean == metrics["metrics"]["all"][name]
