"""Networks that a training uses but does not train: `WORKDIR/frozen/<name>`.

They are copied there once, so that a workdir can be moved as it is. `teacher`
is an online teacher; `perceptual` the network that a perceptual loss asks
(`config.objective.perceptual`), which nobody needs who loads the checkpoint.
"""

import os
import pathlib
import shutil
from typing import Any

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints, pretrained
from sginpaint.backbones.vgg import VGG

_PERCEPTUAL = "config.objective.perceptual"


def check_perceptual(config: ConfigDict, workdir: str) -> None:
  """Raises UserError where the network of a perceptual loss is missing.

  Args:
    config: of the training.
    workdir: of the training; a network that it holds already is not missed.
  """
  spec = _perceptual(config)
  held = (pathlib.Path(workdir) / "frozen" / "perceptual").exists()
  if pretrained.is_path(spec) and not held:
    pretrained.check_path(
      spec,
      field=_PERCEPTUAL,
      model="vgg16",
      otherwise="train one with configs/classifier_vgg.py and name its "
      "workdir, or write none",
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
  spec = _perceptual(config)
  if not pretrained.is_path(spec):
    drawn = pretrained.load_network(
      spec, field=_PERCEPTUAL, model="vgg16", default=VGG()
    )
    if drawn is not None:
      modules["perceptual"] = drawn.module
      variables["perceptual"] = drawn.variables
  return modules, variables


def _sources(config: ConfigDict) -> dict[str, str]:
  sources = {}
  if config.teacher.mode == "online" and config.teacher.path:
    sources["teacher"] = config.teacher.path
  if pretrained.is_path(_perceptual(config)):
    sources["perceptual"] = _perceptual(config)
  return sources


def _perceptual(config: ConfigDict) -> str:
  return config.objective.get("perceptual", "none")
