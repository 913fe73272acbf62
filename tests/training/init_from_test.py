"""Stages that begin with what others learnt."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from configs import common, embedding_attributes
from sginpaint import checkpoints, convert
from sginpaint.backbones.resnet import ResNet
from sginpaint.convert.workdir import to_workdir
from sginpaint.errors import UserError
from sginpaint.systems import build_system, example_batch
from sginpaint.training.init_from import check_init_from, initialise_from
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.state import create_train_state
from tests.convert.weights import drawn, save


def config_of(width=4, **fields):
  """ESPA's second stage, narrow; two classes."""
  c = common.get_config()
  c.system = "espa"
  c.model.generator = {
    "autoencoder": {"width": width, "attention": False},
    "decoder": {"widths": (8, 8, 4, 4), "hidden": 4},
  }
  c.model.discriminator = {"kind": "patch70", "widths": (4, 4, 4, 4)}
  c.objective = {"stage": 2, "perceptual": "none", "segmenter": "none"}
  c.data.image_size = 32
  c.data.classes = ({"name": "a"}, {"name": "b"})
  c.update(fields)
  return c


def state_of(config, seed):
  """Drawn in numpy: compiling the initialisers takes seconds."""
  create = functools.partial(
    create_train_state,
    build_system(config),
    build_optimizers(config.optimizer, 10),
    seed=seed,
    ema=True,
  )
  rng = np.random.default_rng(seed)
  return jax.tree.map(
    lambda x: jnp.asarray(rng.normal(size=x.shape), x.dtype),
    jax.eval_shape(create, example_batch(config)),
  )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
  """(workdir, variables) of a training that got somewhere."""
  config, folder = config_of(), tmp_path_factory.mktemp("source") / "run"
  variables = state_of(config, 1).generator.variables
  variables = jax.tree.map(lambda x: np.asarray(x) + 0.25, variables)
  checkpoints.save_generator(str(folder), config, 5, variables)
  return str(folder), variables


def equal(a, b):
  same = jax.tree.map(np.array_equal, a, b)
  return all(jax.tree.leaves(same))


@pytest.mark.parametrize(
  ("target", "taken", "left"),
  [
    ("generator/autoencoder", ["autoencoder"], ["decoder"]),
    ("generator", ["autoencoder", "decoder"], []),
  ],
)
def test_submodules_come_with_their_collections(source, target, taken, left):
  workdir, wanted = source
  fresh = state_of(config_of(), 0)
  begun = initialise_from(fresh, {target: workdir})
  for name, values in begun.generator.variables.items():
    of_source = {n: wanted[name][n] for n in taken if n in wanted[name]}
    of_fresh = {n: fresh.generator.variables[name][n] for n in left}
    assert equal(values, of_source | of_fresh)
  assert "spectral_norm" in begun.generator.variables
  assert equal(begun.ema, begun.generator.params)
  leaves = jax.tree.leaves((begun.ema, begun.generator.params))
  # The step donates the state: a buffer that is there twice would crash it.
  assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)
  assert equal(begun.discriminator.params, fresh.discriminator.params)


@pytest.mark.parametrize(
  ("target", "width"),
  [("generator/encoder", 4), ("discriminator", 4), ("generator", 8)],
)
def test_what_does_not_fit_is_refused(source, target, width):
  fresh = state_of(config_of(width), 0)
  with pytest.raises(UserError, match=r"config.init_from\['" + target):
    initialise_from(fresh, {target: source[0]})


def test_missing_source_is_found_before_training(source, tmp_path):
  there = ConfigDict({"generator": source[0]})
  nowhere = ConfigDict({"generator/autoencoder": "runs/espa_stage1"})
  check_init_from(config_of(init_from=there), str(tmp_path))
  with pytest.raises(UserError, match="=runs/espa_stage1: no checkpoint"):
    check_init_from(config_of(init_from=nowhere), str(tmp_path))
  check_init_from(config_of(init_from=nowhere), source[0])  # resumes


def test_source_of_another_size_is_found_before_training(source, tmp_path):
  planned = {"runs/wide": config_of(8)}
  for workdir, trainings in ((source[0], {}), ("runs/wide", planned)):
    config = config_of(
      6 if workdir == source[0] else 4,
      init_from=ConfigDict({"generator/autoencoder": workdir}),
    )
    with pytest.raises(UserError, match="or of another size"):
      check_init_from(config, str(tmp_path), trainings)
  config.model.generator.autoencoder.width = 8
  check_init_from(config, str(tmp_path), planned)


def classifier_of(attributes, width=4):
  c = embedding_attributes.get_config("quick")
  c.model.generator.width = width
  c.data.image_size = 32
  c.data.attributes = tuple(f"attribute {i}" for i in range(attributes))
  return c


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
  """(workdir, variables) of a classifier of five attributes."""
  config, folder = classifier_of(5), tmp_path_factory.mktemp("trunk") / "run"
  variables = state_of(config, 1).generator.variables
  checkpoints.save_generator(str(folder), config, 5, variables)
  return str(folder), variables


def test_a_trunk_begins_under_another_head(trunk, tmp_path):
  workdir, wanted = trunk
  config = classifier_of(3)
  config.init_from = ConfigDict({"generator/-fc": workdir})
  check_init_from(config, str(tmp_path))
  fresh = state_of(config, 0)
  begun = initialise_from(fresh, config.init_from).generator
  head = begun.params["fc"]
  assert head["kernel"].shape[-1] == 3
  assert equal(head, fresh.generator.params["fc"])
  for name, values in begun.variables.items():
    left = {n: v for n, v in wanted[name].items() if n != "fc"}
    assert equal({n: v for n, v in values.items() if n != "fc"}, left)
  nothing = initialise_from(fresh, {"generator/-fc": "none"})
  assert equal(nothing.generator.params, fresh.generator.params)


@pytest.mark.parametrize(
  ("target", "width", "words"),
  [
    (
      "generator",
      4,
      r"'fc' is not .*\(params/fc/bias is \(5,\), here \(3,\)\)",
    ),
    ("generator/-head", 4, "'-head' is not in both"),
    ("generator/-fc", 6, r"bn1/mean is \(4,\), here \(6,\)"),
  ],
)
def test_what_differs_is_named(trunk, tmp_path, target, width, words):
  config = classifier_of(3, width)
  config.init_from = ConfigDict({target: trunk[0]})
  with pytest.raises(UserError, match=words):
    check_init_from(config, str(tmp_path))


def test_imagenet_weights_begin_an_embedding(tmp_path):
  """A published ResNet of 1000 classes, by the convert command."""
  module = ResNet(num_classes=1000, width=4, layers=(1, 1, 1, 1))
  variables = drawn(module, np.zeros((1, 32, 32, 3), "float32"))
  state = convert.to_torch("resnet50", variables)
  source = save(tmp_path / "weights.safetensors", state)
  to_workdir("resnet50", [source], tmp_path / "resnet50", version="test")
  target = {"generator/-fc": str(tmp_path / "resnet50")}
  begun = initialise_from(state_of(classifier_of(3), 0), target).generator
  for name in ("params", "batch_stats"):
    expected = {n: v for n, v in variables[name].items() if n != "fc"}
    taken = {n: v for n, v in begun.variables[name].items() if n != "fc"}
    assert equal(taken, expected)
