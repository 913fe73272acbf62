"""Networks that a training uses but does not train: `WORKDIR/frozen/<name>`.

They are copied there once, so that a workdir can be moved as it is. `teacher`
is an online teacher; `perceptual` the network that a perceptual loss asks
(`config.objective.perceptual`), which nobody needs who loads the checkpoint;
`segmenter` the one that predicts the guiding map (`config.objective.segmenter`)
in training and at use.
"""

import dataclasses
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints, pretrained, upstream, workdirs
from sginpaint.backbones.vgg import VGG
from sginpaint.errors import UserError


@dataclasses.dataclass(frozen=True)
class _Field:
  """A field of `config.objective` that names a network.

  Attributes:
    model: published one that usually belongs there, unless the last part of
      the path is the name of another.
    otherwise: how to do without its weights.
    default: what `random:<seed>` initialises; None = not allowed.
  """

  model: str
  otherwise: str
  default: nn.Module | None = None


_FIELDS: Mapping[str, _Field] = {
  "perceptual": _Field(
    model="vgg16",
    otherwise="train one with configs/classifier_vgg.py and name its "
    "workdir, or write none",
    default=VGG(),
  ),
  "segmenter": _Field(
    model="bisenet",
    otherwise="train one with configs/segmenter.py on the same data and name "
    "its workdir, or write none",
  ),
}


def check_frozen(config: ConfigDict, workdir: str) -> None:
  """Raises UserError where a frozen network is missing or does not fit.

  Args:
    config: of the training, its classes known.
    workdir: of the training; a network that it holds already is not missed.
  """
  for name, field in _FIELDS.items():
    spec = _spec(config, name)
    held = pathlib.Path(workdir) / "frozen" / name
    if not pretrained.is_path(spec):
      continue
    source = str(held) if held.exists() else spec
    pretrained.check_path(
      source,
      field=f"config.objective.{name}",
      model=_model(spec, field),
      otherwise=field.otherwise,
    )
    if name == "segmenter":
      _check_classes(config, source)


def _check_classes(config: ConfigDict, source: str) -> None:
  names, wanted = (
    [info["name"] for info in c.data.classes]
    for c in (workdirs.load_config(source), config)
  )
  if names != wanted:
    raise UserError(
      f"config.objective.segmenter={source}: knows the classes "
      f"{', '.join(names) or '(none)'}; the data has {', '.join(wanted)}"
    )


def adopt_frozen(
  workdir: str, config: ConfigDict
) -> tuple[dict[str, nn.Module], dict[str, Any]]:
  """Copies frozen networks into the workdir once; their modules and values."""
  modules, variables = {}, {}
  for name, source in _sources(config).items():
    target = pathlib.Path(workdir) / "frozen" / name
    if not target.exists() and jax.process_index() == 0:
      partial = target.with_name(f".{name}.partial")
      shutil.rmtree(partial, ignore_errors=True)
      checkpoints.slim(source, str(partial))
      os.replace(partial, target)
    loaded = checkpoints.load(str(target))
    modules[name], variables[name] = loaded.system.generator, loaded.variables
  for name, field in _FIELDS.items():
    spec = _spec(config, name)
    if not pretrained.is_path(spec):
      drawn = pretrained.load_network(
        spec,
        field=f"config.objective.{name}",
        model=_model(spec, field),
        default=field.default,
      )
      if drawn is not None:
        modules[name], variables[name] = drawn.module, drawn.variables
  return modules, variables


def _sources(config: ConfigDict) -> dict[str, str]:
  """{name: workdir} of the networks to copy."""
  sources = {name: _spec(config, name) for name in _FIELDS}
  sources = {n: s for n, s in sources.items() if pretrained.is_path(s)}
  if config.teacher.mode == "online" and config.teacher.path:
    sources["teacher"] = config.teacher.path
  return sources


def _spec(config: ConfigDict, name: str) -> str:
  return config.objective.get(name, "none")


def _model(spec: str, field: _Field) -> str:
  name = pathlib.Path(spec).name
  return name if name in upstream.MODELS else field.model
