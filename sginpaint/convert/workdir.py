"""Published weights made into a workdir, which the rest of the library loads.

SPL's generator becomes system `spl`, ESPA's autoencoder `espa`, classifiers
`classifier`, segmenters `segmenter`, and networks that only losses and measures
use, or a teacher's trunk, `backbone`. Section `source` of the config tells
where the values come from.
"""

import dataclasses
import importlib
import os
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import ml_collections

from sginpaint import backbones, checkpoints, convert, upstream
from sginpaint.backbones.lpips import LPIPS
from sginpaint.convert.reading import Weights, check_numbers, read_weights
from sginpaint.data.classes import ClassInfo, default_colour
from sginpaint.errors import UserError
from sginpaint.systems.classifier import networks as classifiers
from sginpaint.systems.espa import networks as espa
from sginpaint.systems.segmenter import networks as segmenters
from sginpaint.systems.spl import networks as spl

_NOT_IN_CONFIG = ("parent", "name", "dtype")


@dataclasses.dataclass(frozen=True)
class Target:
  """What a kind of network becomes.

  Attributes:
    system: key of `SYSTEMS`.
    networks: {name in the config: class} of the networks it may hold.
    preset: module of configs/ with the values of all other fields.
    labels: field of `config.data` whose entries are the network's outputs; ""
      where it has none.
    named: whether `config.model.generator` says the network's name.
    unsaid: fields of the network that no config says, the system fills them in.
  """

  system: str
  networks: Mapping[str, type[nn.Module]]
  preset: str
  labels: str = ""
  named: bool = True
  unsaid: tuple[str, ...] = ()


# The first that fits: a classifier without its head is only a backbone.
TARGETS = (
  Target("spl", {"spl": spl.Generator}, "spl", named=False),
  Target(
    "espa",
    {"espa": espa.Generator},
    "espa_stage1",
    named=False,
    unsaid=("num_classes",),
  ),
  Target("classifier", classifiers.NETWORKS, "classifier", "attributes"),
  Target("segmenter", segmenters.NETWORKS, "segmenter", "classes"),
  Target("backbone", backbones.NETWORKS, "common"),
)
# Sides of the pictures that published networks were trained on.
SIDES = {
  "spl_generator": 256,
  "tresnet_l": 448,
  "bisenet": 512,
  "deeplab_v2": 320,
}
_SIDE = 224


@dataclasses.dataclass(frozen=True)
class Converted:
  """What `to_workdir` did, for people.

  Attributes:
    config: of the workdir.
    tensors: how many were taken.
    parameters: how many numbers these are.
    notes: what deserves to be known: precision, wrappers, things left out.
  """

  config: ml_collections.ConfigDict
  tensors: int
  parameters: int
  notes: tuple[str, ...]


def to_workdir(
  model: str,
  inputs: Sequence[pathlib.Path],
  output: pathlib.Path,
  *,
  version: str,
) -> Converted:
  """Converts files to a workdir; a failure leaves nothing behind.

  Args:
    model: key of `convert.SOURCES`.
    inputs: the files whose tensors, together, are the network's.
    output: folder to make; must not exist, or be empty.
    version: of the library, for the record.

  Raises:
    UserError: a file is not what it should be; the message names it.
  """
  source = convert.source(model)
  files = [read_weights(path) for path in inputs]
  where = " and ".join(map(str, inputs))
  state = _merge(files, where)
  own = source.own(state)
  try:
    module, variables = convert.from_torch(model, state)
    check_numbers(own)
  except UserError as e:
    raise UserError(f"{where}: {e}") from e
  config = _config(model, module, files)
  config.data.image_size = _side(model, own, where)
  config.source.sginpaint = version
  config.source.hash = checkpoints.hash_variables(variables)
  _write(output, config, variables)
  return Converted(
    config=config,
    tensors=len(own),
    parameters=sum(x.size for x in jax.tree.leaves(variables["params"])),
    notes=tuple(_notes(files, own)),
  )


def _merge(files: Sequence[Weights], where: str) -> dict[str, Any]:
  state: dict[str, Any] = {}
  for file in files:
    twice = sorted(state.keys() & file.tensors.keys())
    if twice:
      raise UserError(
        f"{where}: {twice[0]} is in both; give the parts of one network"
      )
    state |= file.tensors
  return state


def _config(
  model: str, module: nn.Module, files: Sequence[Weights]
) -> ml_collections.ConfigDict:
  target = _target(model, module)
  preset = importlib.import_module(f"configs.{target.preset}")
  config = preset.get_config()
  fields = describe(module)
  for name in target.unsaid:
    del fields[name]
  if target.named:
    names = {network: name for name, network in target.networks.items()}
    fields = {"name": names[type(module)], **fields}
  if target.labels:
    config.data[target.labels] = _labels(
      target.labels, files, fields.pop("num_classes")
    )
  if target.system == "backbone":
    config.objective.pictures = 2 if isinstance(module, LPIPS) else 1
  if target.system == "espa":
    config.objective.perceptual = "none"  # whoever goes on training says which
  config.system = target.system
  config.model.generator = ml_collections.ConfigDict(fields)
  digests = [file.sha256 for file in files]
  config.source = ml_collections.ConfigDict(
    {
      "model": model,
      "files": [{"name": f.name, "sha256": f.sha256} for f in files],
      "official": upstream.is_official(model, digests),
      "projects": [f.project for f in upstream.MODELS.get(model, ())],
    }
  )
  return config


def _side(model: str, own: Mapping[str, Any], where: str) -> int:
  """Side of the pictures that a network was trained on."""
  inputs = convert.source(model).inputs
  if not callable(inputs):
    return SIDES.get(model, _SIDE)
  height, width = inputs({k: v.shape for k, v in own.items()})[0][1:3]
  if height != width:
    raise UserError(
      f"{where}: weights for pictures of {height} x {width}, but a workdir is "
      "for square ones; sginpaint.convert.from_torch gives module and variables"
    )
  return height


def describe(module: nn.Module) -> dict[str, Any]:
  """The fields of a module as JSON holds them: what rebuilds its shape.

  Raises:
    TypeError: a field is something else, such as a function.
  """
  return {
    field.name: _plain(field.name, getattr(module, field.name))
    for field in dataclasses.fields(module)
    if field.init and field.name not in _NOT_IN_CONFIG
  }


def _plain(name: str, value: Any) -> Any:
  if value is None or isinstance(value, bool | int | float | str):
    return value
  if isinstance(value, list | tuple):
    return [_plain(name, inner) for inner in value]
  if isinstance(value, Mapping):
    return {key: _plain(name, inner) for key, inner in value.items()}
  raise TypeError(f"field {name} = {value!r} cannot be written to a config")


def _target(model: str, module: nn.Module) -> Target:
  labelled = bool(getattr(module, "num_classes", None))
  for target in TARGETS:
    known = type(module) in target.networks.values()
    if known and (labelled or not target.labels):
      return target
  raise UserError(
    f"{model} cannot stand in a workdir of its own; "
    "sginpaint.convert.from_torch gives its module and variables"
  )


def _labels(
  field: str, files: Sequence[Weights], count: int
) -> tuple[Any, ...]:
  """Names of attributes, or classes as the data set's, for `config.data`."""
  stem = "attribute" if field == "attributes" else "class"
  known = next((f.classes for f in files if len(f.classes) == count), None)
  names = known or tuple(f"{stem}_{i}" for i in range(count))
  if field == "attributes":
    return names
  return tuple(
    dataclasses.asdict(ClassInfo(name, default_colour(i)))
    for i, name in enumerate(names)
  )


def _write(
  output: pathlib.Path,
  config: ml_collections.ConfigDict,
  variables: Mapping[str, Any],
) -> None:
  partial = output.with_name(f".{output.name}.partial")
  shutil.rmtree(partial, ignore_errors=True)
  try:
    checkpoints.save_generator(str(partial), config, 0, variables)
    os.replace(partial, output)
  except OSError as e:
    raise UserError(
      f"--output={output}: cannot be written ({e.strerror or e})"
    ) from e
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def _notes(files: Sequence[Weights], own: Mapping[str, Any]):
  halves = {str(t.dtype) for t in own.values() if t.dtype.itemsize < 4}
  if halves:
    yield f"stored in half precision ({', '.join(sorted(halves))})"
  for file in files:
    if file.wrapper:
      yield f"{file.name}: took {file.wrapper}"
    if file.ignored:
      shown = ", ".join(file.ignored[:6])
      more = f" and {len(file.ignored) - 6} more" * (len(file.ignored) > 6)
      yield f"{file.name}: left out {shown}{more}"
  left = sum(len(file.tensors) for file in files) - len(own)
  if left:
    yield f"left out {left} further tensors: counters, other networks"
