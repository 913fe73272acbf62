"""Networks that a training uses but does not train: `WORKDIR/frozen/<name>`.

They are copied there once, so that a workdir can be moved as it is. `teacher`
is an online teacher; `perceptual` the network that a perceptual loss asks
(`config.objective.perceptual`), which nobody needs who loads the checkpoint;
`segmenter` the one that predicts the guiding map (`config.objective.segmenter`)
and `classifier` the one that predicts the guiding attributes
(`config.objective.classifier`), in training and at use; `pseudo_labels` labels
the pictures that a classifier or a segmenter learns from.
"""

import dataclasses
import logging
import os
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
from jax.experimental import multihost_utils
from ml_collections import ConfigDict

from sginpaint import checkpoints, pretrained, upstream, workdirs
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError
from sginpaint.losses.perceptual import Preset
from sginpaint.systems import (
  SYSTEMS,
  build_system,
  example_batch,
  network_shapes,
)

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class _Field:
  """A field of `config.objective` that names a network.

  Attributes:
    model: published one that usually belongs there, unless the last part of
      the path is the name of another; "" = that of the system's loss, or none.
    otherwise: how to do without its weights.
    default: what `random:<seed>` initialises; None = not allowed.
    gives: the output that is asked for; "" = the layers of the system's loss.
    knows: field of `config.data` whose names its outputs have, if any.
  """

  model: str
  otherwise: str
  default: nn.Module | None = None
  gives: str = ""
  knows: str = ""


_FIELDS: Mapping[str, _Field] = {
  "classifier": _Field(
    model="",
    otherwise="train one with configs/embedding_attributes.py on data with the "
    "same attributes and name its workdir",
    gives="logits",
    knows="attributes",
  ),
  "perceptual": _Field(
    model="",
    otherwise="train one with configs/classifier_vgg.py and name its "
    "workdir, or write none",
    default=VGG(),
  ),
  "segmenter": _Field(
    model="bisenet",
    otherwise="train one with configs/segmenter.py on the same data and name "
    "its workdir, or write none",
    gives="segmentation_logits",
    knows="classes",
  ),
}


def _fields(config: ConfigDict) -> Mapping[str, _Field]:
  """The table, with what labels the pictures of a classifier or segmenter.

  That is a trained network of the same kind (systems/pseudo_labels.py).
  """
  alike = _FIELDS.get(config.system)
  return {**_FIELDS, **({"pseudo_labels": alike} if alike else {})}


# How a training can do with what the network knows.
_CHOICE = {
  "attributes": "choose by config.data.keep_attributes which of them to use",
  "classes": "train one on the same data, or, where the system learns from no "
  "label maps, write config.data.labels=none",
}


def adopt_names(config: ConfigDict, workdir: str = "") -> None:
  """Fills in classes and attributes that only the frozen networks know.

  Data to inpaint need not be labelled (boosted GAN, section III).

  Args:
    config: of the training; what the data set names itself stays.
    workdir: of the training, whose copies are asked first.
  """
  for name, field in _fields(config).items():
    held = workdir and workdirs.held_network(workdir, name)
    source = held or _spec(config, name)
    asked = field.knows and not config.data[field.knows]
    if asked and pretrained.is_path(source) and workdirs.steps(source):
      theirs = workdirs.plain_config(workdirs.load_config(source))
      with config.unlocked():
        config.data[field.knows] = tuple(theirs["data"][field.knows])


def check_frozen(config: ConfigDict, workdir: str) -> None:
  """Raises UserError where a frozen network is missing or does not fit.

  Args:
    config: of the training, its classes known.
    workdir: of the training; a network that it holds already is not missed.
  """
  for name, field in _fields(config).items():
    spec = _spec(config, name)
    if spec.startswith(pretrained.RANDOM):
      allowed = field.default is not None
      where = f"config.objective.{name}"
      pretrained.seed_of(spec, field=where, allowed=allowed)
    if not pretrained.is_path(spec):
      continue
    source = workdirs.held_network(workdir, name) or spec
    pretrained.check_path(
      source,
      field=f"config.objective.{name}",
      model=_model(config, name),
      otherwise=field.otherwise,
    )
    _check_kind(config, name, source)
    if field.knows:
      _check_training(config, name, source)


def preset_of(config: ConfigDict) -> Preset:
  """The perceptual loss of a system that has one.

  Raises:
    UserError: it has none, so that the config asks for too much.
  """
  preset = SYSTEMS[config.system].PERCEPTUAL
  if preset is None:
    raise UserError(
      f"config.objective.perceptual: {config.system} has no perceptual loss; "
      "leave it out"
    )
  return preset


def _check_kind(config: ConfigDict, name: str, source: str) -> None:
  """Raises UserError unless the network says what the system asks it for."""
  theirs = workdirs.load_config(source)
  network, example = build_system(theirs), example_batch(theirs)
  inputs = network.generator_inputs(example)
  outputs = jax.eval_shape(
    network.generator.apply, network_shapes(theirs)["generator"], *inputs
  )
  gives = _fields(config)[name].gives
  wanted = {gives} if gives else set(preset_of(config).layers)
  if len(inputs) > 1 or not wanted <= set(outputs):
    raise UserError(
      f"config.objective.{name}={source}: its network ({theirs.system}) does "
      f"not give {', '.join(sorted(wanted))} of a picture; "
      f"{_fields(config)[name].otherwise}"
    )


def _check_training(config: ConfigDict, name: str, source: str) -> None:
  """What a network learnt must be what the system is to ask it."""
  theirs = workdirs.load_config(source)
  if theirs.data.image_size != config.data.image_size:
    _log.warning(
      "config.objective.%s=%s was trained on pictures of %d pixels, but will "
      "see pictures of %d",
      *(name, source, theirs.data.image_size, config.data.image_size),
    )
  knows = _fields(config)[name].knows
  names, wanted = (_names(c.data[knows]) for c in (theirs, config))
  if names != wanted:
    raise UserError(
      f"config.objective.{name}={source}: knows the {knows} "
      f"{', '.join(names) or '(none)'}; the data has {', '.join(wanted)}; "
      f"{_CHOICE[knows]}"
    )


def _names(infos: Sequence[Any]) -> list[str]:
  """Of classes, which are mappings, or of attributes, which are names."""
  return [i if isinstance(i, str) else i["name"] for i in infos]


def adopt_frozen(
  workdir: str, config: ConfigDict
) -> tuple[dict[str, nn.Module], dict[str, Any]]:
  """Copies frozen networks into the workdir once; their modules and values.

  Once means until there is a checkpoint: what lies there before is replaced.
  """
  sources = networks_of(config)
  if jax.process_index() == 0:
    _copy(workdir, sources)
  if jax.process_count() > 1:  # others load what the first one copied
    multihost_utils.sync_global_devices("sginpaint frozen networks")
  modules, variables = {}, {}
  for name in sources:
    loaded = checkpoints.load(str(pathlib.Path(workdir) / "frozen" / name))
    modules[name], variables[name] = loaded.system.generator, loaded.variables
  for name, field in _fields(config).items():
    spec = _spec(config, name)
    if spec.startswith(pretrained.RANDOM):
      drawn = pretrained.load_network(
        spec,
        field=f"config.objective.{name}",
        model=_model(config, name),
        default=field.default,
      )
      if drawn is not None:
        modules[name], variables[name] = drawn.module, drawn.variables
  return modules, variables


def _copy(workdir: str, sources: Mapping[str, str]) -> None:
  folder = pathlib.Path(workdir) / "frozen"
  if not workdirs.steps(workdir):
    shutil.rmtree(folder, ignore_errors=True)
  for name, source in sources.items():
    if not (folder / name).exists():
      partial = folder / f".{name}.partial"
      shutil.rmtree(partial, ignore_errors=True)
      step = checkpoints.guiding_step(source)
      checkpoints.slim(source, str(partial), step=step)
      os.replace(partial, folder / name)


def networks_of(config: ConfigDict) -> dict[str, str]:
  """{name: workdir} of the networks to copy."""
  sources = {name: _spec(config, name) for name in _fields(config)}
  sources = {n: s for n, s in sources.items() if pretrained.is_path(s)}
  if config.teacher.mode == "online" and config.teacher.path:
    sources["teacher"] = config.teacher.path
  return sources


def _spec(config: ConfigDict, name: str) -> str:
  return config.objective.get(name, "none")


def _model(config: ConfigDict, name: str) -> str:
  known = pathlib.Path(_spec(config, name)).name
  if known in upstream.MODELS:
    return known
  field = _fields(config)[name]
  return field.model if field.gives else preset_of(config).network
