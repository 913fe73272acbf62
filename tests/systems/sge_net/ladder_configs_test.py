"""The configs of SGE-Net's ladder differ only in what they say."""

import importlib

import jax
import pytest
from ml_collections import ConfigDict

from sginpaint.systems import build_system, example_batch

G = "model.generator."
NO_MASKS = {G + "reliability": "none"}
UNGUIDED = NO_MASKS | {G + "guided": False}
DIFFERENCES = {
  "sg_net": NO_MASKS,
  "basic_net": UNGUIDED,
  "basic_net_no_segmentation": UNGUIDED
  | {
    G + "segmentation": False,
    "loss_weights.generator.segmentation": None,
    "eval.outputs": (),
    "eval.analyses": ("scales",),
  },
  "sge_net_told": {"objective.told": 0.25},
  "sge_net_ones": {G + "reliability": "ones"},
  "sge_net_hole": {G + "reliability": "hole"},
  "sg_net_wide": NO_MASKS | {G + "base_width": 2},
}


def load(name, arg):
  return importlib.import_module(f"configs.{name}").get_config(arg)


def flat(config, prefix=""):
  values = {}
  for name, value in config.items():
    if isinstance(value, ConfigDict):
      values |= flat(value, f"{prefix}{name}.")
    else:
      values[prefix + name] = value
  return values


def parameters(name, arg):
  config = load(name, arg)
  config.data.classes = tuple({"name": str(i)} for i in range(8))
  system = build_system(config)
  inputs = system.generator_inputs(example_batch(config))
  shapes = jax.eval_shape(system.generator.init, jax.random.key(0), *inputs)
  return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("arg", ["", "quick"])
def test_difference_is_what_is_said(name, arg):
  base, variant = flat(load("sge_net", arg)), flat(load(name, arg))
  assert variant.keys() <= base.keys()
  different = {
    field: variant.get(field)
    for field, value in base.items()
    if variant.get(field) != value
  }
  assert different == DIFFERENCES[name]


@pytest.mark.parametrize("arg", ["", "quick"])
def test_controls_have_as_many_parameters(arg):
  wanted = parameters("sge_net", arg)
  assert parameters("sg_net", arg) < 0.9 * wanted
  for name in ("sge_net_ones", "sge_net_hole"):
    assert parameters(name, arg) == wanted
  assert parameters("sg_net_wide", arg) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("name", ["sge_net", "basic_net"])
def test_holes_and_crops_are_those_of_the_papers_data_sets(name):
  outdoor = load(name, "data=outdoor_scenes")
  city = load(name, "data=cityscapes")
  for config, hole, share in ((outdoor, 128, 1.0), (city, 96, 0.5)):
    assert config.masks.center_size * config.data.image_size == hole
    assert config.data.crop_size == share
    assert (config.data.resize, config.data.crop) == ("shorter_side", "random")
