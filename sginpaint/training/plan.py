"""A training as shapes alone: what its step is compiled from before any data.

`dry_run` prints what comes of it; whoever measures a step fills the shapes with
random values. Nothing is read but workdirs of frozen networks that are there,
nothing is initialised, nothing is written.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from sginpaint import pretrained, workdirs
from sginpaint.backbones.vgg import VGG, VGG16, VGG19
from sginpaint.batch import Batch
from sginpaint.data.classes import ClassInfo, read_classes
from sginpaint.errors import UserError
from sginpaint.systems import (
  System,
  build_system,
  example_batch,
  network_shapes,
)
from sginpaint.training import frozen as frozen_networks
from sginpaint.training import setup
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.state import TrainState, create_train_state

Shape = jax.ShapeDtypeStruct


@dataclasses.dataclass(frozen=True)
class Plan:
  """What `loop.compile_step` and its lowering take.

  Attributes:
    config: with classes and attributes filled in, as far as they are known.
    system: that is trained, frozen modules in it.
    optimizers: one per player.
    state: shapes of the state.
    frozen: {name: shapes} of the variables of frozen networks.
    batch: shapes of a batch as the pipeline hands it over, all processes
      together.
  """

  config: ConfigDict
  system: System
  optimizers: dict[str, optax.GradientTransformation]
  state: TrainState
  frozen: dict[str, Any]
  batch: Batch


def plan_training(
  config: ConfigDict, *, stand_ins: Mapping[str, ConfigDict] | None = None
) -> Plan:
  """Works out every shape of a training.

  Args:
    config: of the training; gets the names of classes and attributes.
    stand_ins: {name: config} of frozen networks to take the shapes of, where
      their workdirs are not there yet. A perceptual network needs none: it is
      the published one then.

  Raises:
    UserError: see `check_config`; or classes, attributes or the shape of a
      frozen network cannot be known without the data.
  """
  setup.check_config(config)
  _fill_names(config)
  frozen_networks.adopt_names(config)
  modules, frozen = _frozen(config, stand_ins or {})
  system = _system(config, modules)
  optimizers = build_optimizers(config.optimizer, config.steps)
  create = functools.partial(
    create_train_state,
    system,
    optimizers,
    seed=config.seed,
    ema=config.ema_decay > 0,
  )
  state = jax.eval_shape(create, example_batch(config))
  batch = _batch(config, system, state, frozen)
  return Plan(config, system, optimizers, state, frozen, batch)


def _fill_names(config: ConfigDict) -> None:
  """Classes and attributes, where they can be known without the data."""
  data = config.data
  table = Path(data.path or ".") / "classes.csv"
  if data.classes or data.attributes:
    return
  if data.name == "synthetic_scenes":
    # tfds takes seconds to import.
    from sginpaint.data.builders.synthetic_scenes.classes import CLASSES
    from sginpaint.data.builders.synthetic_scenes.scene import ATTRIBUTES

    classes = tuple(ClassInfo(name, colour) for name, colour in CLASSES)
    attributes = tuple(ATTRIBUTES)
  elif data.path and table.is_file():
    classes = read_classes(table).classes
    attributes = tuple(info.name for info in classes)
  else:
    return
  kept = tuple(data.keep_attributes)
  with config.unlocked():
    data.classes = tuple(dataclasses.asdict(info) for info in classes)
    data.attributes = kept or attributes


def _system(config: ConfigDict, modules: Mapping[str, nn.Module]) -> System:
  try:
    system = build_system(config, modules)
  except UserError as e:
    if config.data.classes:
      raise
    raise _unknown("classes") from e
  if system.learns_from_maps and not config.data.classes:
    raise _unknown("classes")
  return system


def _unknown(field: str) -> UserError:
  return UserError(
    f"config.data.{field}: not known without the data; name them, as in "
    f"--config.data.{field}=sky,water,tree"
  )


def _frozen(
  config: ConfigDict, stand_ins: Mapping[str, ConfigDict]
) -> tuple[dict[str, nn.Module], dict[str, Any]]:
  """Modules of the frozen networks, and shapes of their variables."""
  modules: dict[str, nn.Module] = {}
  shapes: dict[str, Any] = {}
  for name, source in frozen_networks.networks_of(config).items():
    if workdirs.steps(source):
      theirs = workdirs.load_config(source)
    elif name in stand_ins:
      theirs = stand_ins[name].copy_and_resolve_references()
      with theirs.unlocked():
        theirs.data.classes = config.data.classes
        theirs.data.attributes = config.data.attributes
    elif name == "perceptual":
      modules[name], shapes[name] = _published(config)
      continue
    else:
      raise UserError(
        f"{source}: no weights of the frozen {name} there, so its layers are "
        "not known; train or convert it first"
      )
    modules[name] = build_system(theirs).generator
    shapes[name] = network_shapes(theirs)["generator"]
  if str(config.objective.get("perceptual", "")).startswith(pretrained.RANDOM):
    modules["perceptual"], shapes["perceptual"] = _shapes_of(VGG())
  return modules, shapes


def _published(config: ConfigDict) -> tuple[nn.Module, Any]:
  """The network that the paper of this system asks."""
  preset = frozen_networks.preset_of(config)
  layers = VGG19 if preset.network == "vgg19" else VGG16
  return _shapes_of(VGG(layers=layers, normalize=preset.normalize))


def _shapes_of(module: nn.Module) -> tuple[nn.Module, Any]:
  picture = Shape((1, 64, 64, 3), jnp.float32)
  return module, dict(jax.eval_shape(module.init, jax.random.key(0), picture))


def _batch(
  config: ConfigDict, system: System, state: TrainState, frozen: dict[str, Any]
) -> Batch:
  data, b, s = config.data, config.batch_size, config.data.image_size
  batch = Batch(
    image=Shape((b, s, s, 3), jnp.uint8), index=Shape((b,), jnp.int32)
  )
  if data.classes:
    batch = batch.replace(segmentation=Shape((b, s, s), jnp.int32))
  if data.attributes:
    batch = batch.replace(
      attributes=Shape((b, len(data.attributes)), jnp.float32)
    )
  if config.masks.path:
    batch = batch.replace(mask=Shape((b, s, s, 1), jnp.float32))
  outputs = _outputs(system, state, frozen, example_batch(config, b))
  for name, output in outputs.items():
    if 0 in output.shape:
      raise _unknown("classes" if "segmentation" in name else "attributes")
  if "teacher" in frozen:
    side = s * config.teacher.input_scale
    return batch.replace(teacher_image=Shape((b, side, side, 3), jnp.uint8))
  if "prior" not in config.loss_weights.generator:
    return batch
  features = Shape(outputs["prior"].shape, jnp.bfloat16)
  return batch.replace(teacher_features=features)


def _outputs(
  system: System, state: TrainState, frozen: dict[str, Any], batch: Batch
) -> Mapping[str, Any]:
  def generate(variables, frozen, batch):
    return system.generate(variables, frozen, batch, None, train=False)[0]

  return jax.eval_shape(generate, state.generator.variables, frozen, batch)
