"""Tests of every file in configs/: it loads, it builds, its weights fit."""

import ast
import dataclasses
import functools
import importlib
import json
import pathlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from ml_collections import ConfigDict

from configs import common
from sginpaint.data.classes import ClassInfo
from sginpaint.evaluation.analyses import ANALYSES
from sginpaint.systems import build_system, example_batch

_FOLDER = pathlib.Path(common.__file__).parent
CONFIGS = sorted({p.stem for p in _FOLDER.glob("[!_]*.py")} - {"common"})
RECIPES = sorted(p.stem for p in _FOLDER.glob("data/[!_]*.py"))

# The classifier whose layer each system is taught by default.
TEACHERS = {
  "spl": "classifier",
  "spl_concat": "classifier",
  "spl_paper": "classifier",
  "spl_other_teacher": "classifier_resnet50",
}

_OF_THE_SYSTEM = ("model", "objective", "loss_weights", "init_from")

every_config = pytest.mark.parametrize("name", CONFIGS)
quick_or_full = pytest.mark.parametrize("arg", ["", "quick"])


def _load(name, arg=""):
  return importlib.import_module(f"configs.{name}").get_config(arg)


def _resolved(name, arg):
  """As a training leaves it in config.json: data filled in, lists only."""
  config = _load(name, arg)
  config.data.classes = tuple(
    dataclasses.asdict(ClassInfo(f"class {i}", (i, 0, 0))) for i in range(4)
  )
  config.data.attributes = ("day", "rain", "tree")
  for field in ("perceptual", "pseudo_labels"):
    if field in config.objective:
      config.objective[field] = "none"  # its network lies somewhere else
  return ConfigDict(json.loads(config.to_json())).lock()


def _leaves(config, prefix=""):
  for name, value in config.items():
    if isinstance(value, ConfigDict):
      yield from _leaves(value, f"{prefix}{name}.")
    else:
      yield f"{prefix}{name}", value


def _lists(value):
  if isinstance(value, dict):
    return {name: _lists(inner) for name, inner in value.items()}
  if isinstance(value, (tuple, list)):
    return [_lists(inner) for inner in value]
  return value


@every_config
@quick_or_full
def test_config_adds_no_field_to_the_common_ones(name, arg):
  def shared(config):
    fields = dict(_leaves(config))
    return {f for f in fields if f.split(".")[0] not in _OF_THE_SYSTEM}

  assert shared(_load(name, arg)) == shared(common.get_config())


@every_config
@quick_or_full
def test_config_locks(name, arg):
  config = _load(name, arg).lock()
  for section in (config, config.data, config.model.generator):
    with pytest.raises(AttributeError):
      section.no_such_field = 1


@every_config
@quick_or_full
def test_config_survives_json(name, arg):
  config = _load(name, arg)
  reloaded = ConfigDict(json.loads(config.to_json()))
  assert reloaded.to_dict() == _lists(config.to_dict())


@every_config
def test_quick_is_smaller(name):
  full, quick = _load(name), _load(name, "quick")
  assert quick.steps <= full.steps
  assert quick.data.image_size <= 128


@every_config
@pytest.mark.parametrize("arg", ["quik", "data=no_such_recipe", "quick,data"])
def test_unknown_words_are_refused(name, arg):
  with pytest.raises(ValueError, match="quik|no_such_recipe|'data'"):
    _load(name, arg)


@pytest.mark.parametrize("recipe", RECIPES)
def test_data_recipe_applies(recipe):
  fields = importlib.import_module(f"configs.data.{recipe}").get_config()
  config = common.get_config().lock()  # refuses fields that are not there
  common.apply_data(config, recipe)
  assert fields
  assert {f: config.data[f] for f in fields} == fields


@pytest.mark.parametrize("recipe", RECIPES)
@every_config
def test_data_recipe_is_chosen_behind_the_colon(name, recipe):
  chosen = _load(name, f"quick,data={recipe}").data
  expected = importlib.import_module(f"configs.data.{recipe}").get_config()
  assert chosen.name == expected["name"]


class _Segmenter(nn.Module):
  """Stands for the frozen one of a system that has one."""

  def __call__(self, image, *, train):
    del train
    return {"segmentation_logits": jnp.zeros((*image.shape[:3], 4))}


class _Classifier(nn.Module):
  """Likewise."""

  def __call__(self, image, *, train):
    del train
    return {"logits": jnp.zeros((len(image), 3))}


_FROZEN = {"segmenter": _Segmenter(), "classifier": _Classifier()}
_NO_VALUES = {name: {} for name in _FROZEN}


def _fake_batch(config):
  batch = example_batch(config, 2)
  if "prior" not in config.loss_weights.generator:
    return batch
  side = config.data.image_size * config.teacher.input_scale // 8
  channels = config.model.generator.prior_channels
  return batch.replace(teacher_features=jnp.zeros((2, side, side, channels)))


def _one_pass(system, batch):
  """(outputs, {player: terms}) of fresh networks."""
  key = jax.random.key(0)
  variables = system.init(key, batch)
  outputs, _ = system.generate(
    variables["generator"], _NO_VALUES, batch, key, train=True
  )
  judge = variables["discriminator"]
  rest = (judge, _NO_VALUES, batch, outputs, key)
  terms = {"generator": system.generator_terms(*rest, train=True)[0]}
  terms["discriminator"] = {}
  if judge is not None:
    terms["discriminator"] = system.discriminator_terms(*rest, train=True)[0]
  return outputs, terms


@functools.cache
def _shapes(name, arg):
  """What `_one_pass` returns, as shapes."""
  config = _resolved(name, arg)
  return jax.eval_shape(
    functools.partial(_one_pass, build_system(config, _FROZEN)),
    _fake_batch(config),
  )


@every_config
@quick_or_full
def test_system_builds_and_every_term_has_its_weight(name, arg):
  config = _resolved(name, arg)
  outputs, terms = _shapes(name, arg)
  for player, found in terms.items():
    assert set(found) == set(config.loss_weights[player])
    assert all(term.shape == (2,) for term in found.values())
  if "image" in outputs:
    side = config.data.image_size
    assert outputs["image"].shape == (2, side, side, 3)
  floating = (jnp.issubdtype(x.dtype, jnp.floating) for x in outputs.values())
  assert all(floating)


@pytest.mark.parametrize("name", TEACHERS)
@quick_or_full
def test_teacher_fits_what_is_learnt_from_it(name, arg):
  config, taught_by = _resolved(name, arg), _resolved(TEACHERS[name], arg)
  side = config.data.image_size * config.teacher.input_scale
  assert taught_by.data.image_size == side
  seen, _ = _shapes(TEACHERS[name], arg)
  learnt, _ = _shapes(name, arg)
  assert seen[config.teacher.layer].shape == learnt["prior"].shape


@pytest.mark.parametrize(
  "name", [name for name in CONFIGS if _load(name).eval.analyses]
)
@quick_or_full
def test_analyses_are_such_as_the_system_can_have(name, arg):
  config = _resolved(name, arg)
  system = build_system(config, _FROZEN)
  batch = example_batch(config)
  variables = jax.eval_shape(system.init, jax.random.key(0), batch)
  served = jax.eval_shape(
    system.predict, variables["generator"], _NO_VALUES, batch
  )
  for analysis in config.eval.analyses:
    assert set(ANALYSES[analysis].NEEDS) <= set(served)


def test_every_common_field_has_a_comment_on_its_line():
  source = pathlib.Path(common.__file__).read_text()
  lines = source.splitlines()
  bare = {}
  for node in ast.walk(ast.parse(source)):
    fields = isinstance(node, ast.Assign) and isinstance(
      node.targets[0], ast.Attribute
    )
    # `c.data = _data()` only names a section.
    if not fields or ast.unparse(node.value).startswith("_"):
      continue
    if not any("  # " in x for x in lines[node.lineno - 1 : node.end_lineno]):
      bare[node.lineno] = lines[node.lineno - 1]
  assert not bare, "".join(
    f"\nconfigs/common.py:{number}:{bare[number]}" for number in sorted(bare)
  )
