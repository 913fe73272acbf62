"""Trainings and checkpoints of random values, ready to be timed."""

import dataclasses
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from benchmarks.pictures import holes
from benchmarks.values import random_values
from configs import classifier, embedding_attributes, embedding_segmentation
from sginpaint.batch import Batch
from sginpaint.checkpoints import Loaded
from sginpaint.layers.folding import fold_batch_norms
from sginpaint.systems import example_batch
from sginpaint.training import sharding
from sginpaint.training.dry_run import Compiled, compile_plan
from sginpaint.training.plan import Plan, plan_training
from sginpaint.training.state import TrainState, create_train_state


def plan(config: ConfigDict) -> Plan:
  """`plan_training`, with untrained networks for frozen ones not there."""
  arg = "quick" if config.data.image_size <= 64 else ""
  stand_ins = {
    "classifier": embedding_attributes.get_config(arg),
    "segmenter": embedding_segmentation.get_config(arg),
    "teacher": classifier.get_config(arg),
  }
  return plan_training(config, stand_ins=stand_ins)


@dataclasses.dataclass
class Training:
  """A compiled step with random inputs on the devices.

  Attributes:
    plan: shapes of everything.
    compiled: the step.
    state: is donated to each step and replaced by what comes out.
    frozen: values of frozen networks.
    batch: the one that every step sees.
    seconds: that it took to "plan" and to "initialise".
  """

  plan: Plan
  compiled: Compiled
  state: TrainState
  frozen: dict[str, Any]
  batch: Batch
  seconds: dict[str, float]

  def step(self) -> Any:
    """One step; returns the metrics when all is done."""
    self.state, metrics = self.compiled.call(
      self.state, self.frozen, self.batch
    )
    return jax.block_until_ready((self.state, metrics))[1]


def build_training(config: ConfigDict) -> Training:
  """Plans, initialises and compiles a training, in this order."""
  seconds = {}
  begin = time.perf_counter()
  shapes = plan(config)
  seconds["plan"] = time.perf_counter() - begin
  mesh = sharding.make_mesh()
  copied = sharding.replicated(mesh)
  begin = time.perf_counter()
  state = create_train_state(
    shapes.system,
    shapes.optimizers,
    example_batch(config),
    seed=config.seed,
    ema=config.ema_decay > 0,
  )
  state = jax.block_until_ready(jax.device_put(state, copied))
  seconds["initialise"] = time.perf_counter() - begin
  frozen = jax.device_put(random_values(shapes.frozen), copied)
  batch = sharding.put_batch(random_batch(shapes), mesh)
  compiled = compile_plan(shapes)
  return Training(shapes, compiled, state, frozen, batch, seconds)


def random_batch(shapes: Plan, seed: int = 0) -> Batch:
  """Numpy arrays of the shapes of a plan's batch."""
  generator = np.random.default_rng(seed)
  high = {"segmentation": len(shapes.config.data.classes), "attributes": 2}

  def draw(name: str, shape: jax.ShapeDtypeStruct) -> np.ndarray:
    if name == "index":
      return np.arange(shape.shape[0], dtype=np.int32)
    if name == "teacher_features":
      return generator.normal(size=shape.shape).astype(shape.dtype)
    below = 2 if name == "mask" else high.get(name, 256)
    return generator.integers(below, size=shape.shape).astype(shape.dtype)

  fields = {
    field.name: value
    for field in dataclasses.fields(Batch)
    if (value := getattr(shapes.batch, field.name)) is not None
  }
  return Batch(**{name: draw(name, shape) for name, shape in fields.items()})


def build_loaded(config: ConfigDict) -> Loaded:
  """A checkpoint of random values, batch norms folded, as `load` gives it."""
  shapes = plan(config)
  system = shapes.system
  inputs = system.generator_inputs(example_batch(config))
  fresh = jax.jit(system.init)(jax.random.key(0), example_batch(config))
  variables = fresh["generator"]
  served = {n: v for n, v in shapes.frozen.items() if n in system.SERVED}
  return Loaded(
    config=config,
    system=system,
    variables=fold_batch_norms(system.generator, variables, *inputs),
    frozen=random_values(served),
    step=0,
    hash="random",
    workdir="",
  )


def predict_batch(config: ConfigDict, batch_size: int) -> Batch:
  """A batch as `predict` sees it, on the device."""
  side = config.data.image_size
  key = jax.random.key(0)
  image = jax.random.uniform(key, (batch_size, side, side, 3), minval=-1.0)
  return Batch(image=image, mask=jnp.asarray(holes(batch_size, side)))
