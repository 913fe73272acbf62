"""Our side with the weights and on the batch of the other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from sginpaint import convert
from sginpaint.batch import Batch, normalize_image
from sginpaint.systems.spl.objective import SPL
from sginpaint.training import sharding
from sginpaint.training.loop import compile_step
from sginpaint.training.optimizer import build_optimizers
from sginpaint.training.state import Player, TrainState

_SOURCES = {"generator": "spl_generator", "discriminator": "spl_discriminator"}


@dataclasses.dataclass
class Ours:
  """Our side: system, state and compiled programs.

  Attributes:
    system: SPL with the compute dtype of the config.
    state: of the training; donated to each step.
    run_step: (state, frozen, batch) -> (state, metrics).
    batch: on the devices.
  """

  system: SPL
  state: TrainState
  run_step: Any
  batch: Batch

  def step(self) -> dict[str, jax.Array]:
    """One update of both players; waits for it."""
    self.state, metrics = self.run_step(self.state, {}, self.batch)
    return jax.block_until_ready((self.state, metrics))[1]


def build_ours(
  config: ConfigDict,
  weights: Mapping[str, Mapping[str, np.ndarray]],
  batch: Mapping[str, np.ndarray],
) -> Ours:
  """Our side with PyTorch's weights; it remembers its gradients.

  Args:
    config: of `spl_config`.
    weights: {player: state dict}.
    batch: of `numpy_batch`.
  """
  modules, players = {}, {}
  optimizers = build_optimizers(config.optimizer, config.steps)
  for name, source in _SOURCES.items():
    module, variables = convert.from_torch(source, weights[name])
    modules[name] = module.clone(dtype=jnp.dtype(config.dtype))
    optimizers[name] = optax.chain(_remember(), optimizers[name])
    params = variables.pop("params")
    players[name] = Player(params, variables, optimizers[name].init(params))
  mesh = sharding.make_mesh()
  system = SPL(**modules, **config.objective.to_dict())
  state = TrainState(step=jnp.zeros((), jnp.int32), **players)
  placed = Batch(
    image=batch["image"],
    mask=batch["mask"],
    teacher_features=batch["teacher"],
  )
  return Ours(
    system=system,
    state=jax.device_put(state, sharding.replicated(mesh)),
    run_step=compile_step(system, optimizers, config, mesh),
    batch=sharding.put_batch(placed, mesh),
  )


def _remember() -> optax.GradientTransformation:
  """Keeps the gradients it saw as its state."""
  return optax.GradientTransformation(
    lambda params: jax.tree.map(jnp.zeros_like, params),
    lambda gradients, *_: (gradients, gradients),
  )


def gradients_of(ours: Ours) -> dict[str, dict[str, np.ndarray]]:
  """{player: {PyTorch's name: gradient}} of the last step."""
  return {
    name: convert.to_torch(
      source, {"params": getattr(ours.state, name).opt_state[0]}
    )
    for name, source in _SOURCES.items()
  }


def predict(ours: Ours) -> tuple[jax.Array, jax.Array]:
  """(image, prior) of our generator, on pictures in [-1, 1]."""
  image = normalize_image(ours.batch.image)
  batch = Batch(image=image, mask=ours.batch.mask)
  params = ours.state.generator.variables
  outputs = jax.jit(ours.system.predict)(params, {}, batch)
  return outputs["image"], outputs["prior"]
