"""An embedding that is refined on a folder without labels."""

import json

import jax
import numpy as np
import pytest

from configs import embedding_attributes, embedding_segmentation_refined
from sginpaint import checkpoints
from sginpaint.checkpoints import loading
from sginpaint.cli import train
from sginpaint.errors import UserError
from sginpaint.systems import build_system, example_batch
from sginpaint.training.frozen import adopt_frozen, check_frozen
from sginpaint.workdirs import load_config, steps
from tests.data.example_folders import make_folder

SMALL = {
  "data.image_size": 32,
  "model.generator.width": 4,
  "batch_size": 4,
  "steps": 2,
  "log.every": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  return make_folder(tmp_path_factory.mktemp("folder"), labels=False)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
  """Workdir of a classifier that knows two attributes, and its variables."""
  config = embedding_attributes.get_config("quick")
  config.data.image_size, config.model.generator.width = 32, 4
  config.data.attributes = ("day", "rain")
  system = build_system(config)
  variables = jax.jit(
    lambda: system.init(jax.random.key(0), example_batch(config))["generator"]
  )()
  workdir = str(tmp_path_factory.mktemp("first") / "run")
  checkpoints.save_generator(workdir, config, 5, variables)
  return workdir, variables


def refine(folder, workdir, source, **fields):
  options = SMALL | {
    "data.path": folder,
    "objective.pseudo_labels": source,
    "objective.confidence": 0.5,
    "init_from.generator": source,
  }
  return train.main(
    [f"--workdir={workdir}"]
    + ["--config=configs/embedding_attributes_refined.py:quick,data=folder"]
    + [f"--config.{name}={value}" for name, value in (options | fields).items()]
  )


def test_pictures_without_labels_refine_a_classifier(folder, first, tmp_path):
  source, began = first
  assert refine(folder, tmp_path, source) == 0
  config = load_config(str(tmp_path))
  assert list(config.data.attributes) == ["day", "rain"]
  assert config.data.classes == []
  lines = (tmp_path / "log.jsonl").read_text().splitlines()
  assert all(json.loads(x)["generator/classification"] > 0 for x in lines)
  kept = checkpoints.load(
    str(tmp_path / "frozen" / "pseudo_labels"), folded=False
  )
  jax.tree.map(np.testing.assert_array_equal, dict(kept.variables), began)
  refined = checkpoints.load(str(tmp_path), folded=False).variables["params"]
  moved = jax.tree.map(
    lambda a, b: float(abs(a - b).max()), refined, began["params"]
  )
  assert 0 < max(jax.tree.leaves(moved)) < 0.01  # two small steps from there


def test_a_source_that_is_not_there_is_named(folder, tmp_path):
  with pytest.raises(UserError, match="config.objective.pseudo_labels"):
    refine(folder, tmp_path / "run", "runs/embedding_attributes")
  assert not (tmp_path / "run").exists()


def test_what_labels_must_be_of_the_same_kind(first):
  config = embedding_segmentation_refined.get_config("quick")
  config.data.classes = ({"name": "sky"},)
  config.objective.pseudo_labels = first[0]
  with pytest.raises(UserError, match=r"pseudo_labels=.*\(classifier\)"):
    check_frozen(config, "")


def test_the_best_checkpoint_labels(first, tmp_path, monkeypatch):
  source, variables = first
  config = load_config(source)
  checkpoints.save_generator(source, config, 9, variables)
  config.objective.pseudo_labels = source
  for best, step in ([], 9), ([5], 5):
    monkeypatch.setattr(loading, "best_steps", lambda _, best=best: best)
    adopt_frozen(str(tmp_path), config)
    assert steps(str(tmp_path / "frozen" / "pseudo_labels")) == [step]
