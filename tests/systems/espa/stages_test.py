"""ESPA's three stages through the loop, on a few pictures of 32 pixels."""

import json

import numpy as np
import pytest

from sginpaint import checkpoints
from sginpaint.cli import evaluate, train
from sginpaint.errors import UserError
from tests.systems import guides
from tests.training.small import final_sums, prepare_scenes


@pytest.fixture(scope="module")
def root(tmp_path_factory):
  return tmp_path_factory.mktemp("espa")


@pytest.fixture(scope="module")
def data(root):
  return prepare_scenes(root / "scenes")


def run(data, name, workdir, **fields):
  """Trains configs/<name>.py for two steps, or as the fields say."""
  options = {
    "data.path": data,
    "data.builder_config": "32",
    "data.image_size": 32,
    "batch_size": 2,
    "steps": 2,
    "log.every": 1,
    "log.images_every": 0,
    "optimizer.schedule": "constant",
    "optimizer.warmup": 1,
    "eval.batch_size": 4,
    "eval.panels": 1,
    "eval.baselines": "()",
    **fields,
  }
  flags = [f"--config.{field}={value}" for field, value in options.items()]
  config = f"--config=configs/{name}.py:quick"
  assert train.main([config, f"--workdir={workdir}", *flags]) == 0
  return workdir


def narrow(stage, source=None, **fields):
  """Fields of a stage that begins with what lies in `source`."""
  options = {"model.generator.autoencoder.width": 4, "ema_decay": 0.9}
  if stage > 1:
    target = "generator" if stage == 3 else "generator/autoencoder"
    options |= {
      f"init_from.{target}": source,
      "model.generator.decoder.widths": "8,8,4,4",
      "model.generator.decoder.hidden": 4,
      "model.discriminator.widths": "4,4,4,4",
    }
  return options | fields


@pytest.fixture(scope="module")
def segmenter(root):
  with guides.known():
    yield guides.network(root / "segmenter", "segmenter")


@pytest.fixture(scope="module")
def stages(root, data, segmenter):
  """Workdirs of stages 1, 2 and 3."""
  one = run(data, "espa_stage1", root / "one", **narrow(1))
  guide = {"objective.segmenter": segmenter}
  two = run(data, "espa_stage2", root / "two", **narrow(2, one, **guide))
  three = run(data, "espa_stage3", root / "three", **narrow(3, two, **guide))
  return one, two, three


def autoencoder(workdir):
  variables = checkpoints.load(str(workdir)).variables["params"]
  return np.asarray(variables["autoencoder"]["output"]["kernel"])


def test_second_stage_holds_the_autoencoder_and_third_moves_it(stages):
  one, two, three = map(autoencoder, stages)
  np.testing.assert_array_equal(one, two)
  assert (two != three).any()


def test_resumed_equals_uninterrupted(root, data, segmenter, stages):
  options = narrow(3, stages[1], **{"objective.segmenter": segmenter})
  for steps in (1, 2):
    run(data, "espa_stage3", root / "half", **options, steps=steps)
  assert final_sums(root / "half") == final_sums(stages[2])


def test_evaluation_names_the_segmenter_that_guided(stages, segmenter, root):
  output = root / "evaluated"
  flags = ["--split=test", "--masks=center", f"--output={output}"]
  assert evaluate.main([f"--workdir={stages[1]}", *flags]) == 0
  written = json.loads((output / "metrics.json").read_text())["provenance"]
  expected = checkpoints.load(str(segmenter)).hash
  assert written["frozen"] == {"segmenter": expected}
  assert expected in (output / "report.html").read_text()


def test_slim_copy_is_served_alike(stages, root):
  checkpoints.slim(str(stages[1]), str(root / "slim"))
  copy, whole = (checkpoints.load(str(w)) for w in (root / "slim", stages[1]))
  assert copy.hash == whole.hash
  assert copy.frozen_hashes == whole.frozen_hashes != {}


def test_without_segmenter_the_truth_guides(root, data, stages):
  more = {"objective.segmenter": "none", "log.images_every": 1}
  options = narrow(2, stages[0], **more)
  workdir = run(data, "espa_stage2", root / "none", **options)
  flags = ["--config.eval.analyses=()", f"--output={root / 'none_eval'}"]
  with pytest.raises(UserError, match="predicts no map"):
    evaluate.main([f"--workdir={workdir}", *flags])
  flags.append("--config.eval.guidance=truth")
  assert evaluate.main([f"--workdir={workdir}", *flags]) == 0
