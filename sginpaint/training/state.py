"""The state of a training: arrays only, no functions, no keys.

Keys are derived from (seed, stream, step) inside the step, so nothing random
needs saving and a resumed run equals an uninterrupted one.
"""

import zlib
from typing import Any

import flax.serialization
import flax.struct
import jax
import jax.numpy as jnp
import optax

from sginpaint.batch import Batch
from sginpaint.systems.base import System


class Player(flax.struct.PyTreeNode):
  """One network under training.

  Attributes:
    params: float32 tree.
    collections: other Flax collections (`batch_stats`, `spectral_norm`, ...).
    opt_state: of its optimiser.
  """

  params: Any
  collections: Any
  opt_state: Any

  @property
  def variables(self) -> dict[str, Any]:
    """Params and collections together, as `module.apply` takes them."""
    return {"params": self.params, **self.collections}


class TrainState(flax.struct.PyTreeNode):
  """Everything that a step changes.

  Attributes:
    step: int32, number of finished steps.
    generator: always there.
    discriminator: None for systems without.
    ema: running average of the generator's params, or None.
  """

  step: jax.Array
  generator: Player
  discriminator: Player | None = None
  ema: Any = None


def create_train_state(
  system: System,
  optimizers: dict[str, optax.GradientTransformation],
  example: Batch,
  *,
  seed: int,
  ema: bool,
) -> TrainState:
  """A fresh state; `example` gives the shapes of a batch."""

  def create(key: jax.Array, example: Batch) -> TrainState:
    players = {
      name: _player(dict(value), optimizers[name])
      for name, value in system.init(key, example).items()
      if value is not None
    }
    params = players["generator"].params
    return TrainState(
      step=jnp.zeros((), jnp.int32),
      generator=players["generator"],
      discriminator=players.get("discriminator"),
      ema=jax.tree.map(jnp.copy, params) if ema else None,
    )

  # One program: else each shape would be a small one. XLA's own generator keeps
  # it small (418 arrays compile in half the time that threefry takes).
  key = jax.random.key(zlib.crc32(f"init {seed}".encode()), impl="unsafe_rbg")
  return jax.jit(create)(key, example)


def _player(
  variables: dict[str, Any], optimizer: optax.GradientTransformation
) -> Player:
  params = variables.pop("params")
  return Player(params, variables, optimizer.init(params))


def stream_key(seed: int, stream: str, step: int | jax.Array) -> jax.Array:
  """The key of a named stream of randomness at a step."""
  root = jax.random.fold_in(
    jax.random.key(seed), zlib.crc32(stream.encode()) & 0x7FFFFFFF
  )
  return jax.random.fold_in(root, step)


def to_tree(state: TrainState) -> dict[str, Any]:
  """The plain nested dict that a checkpoint holds; absent parts left out."""

  def strip(node: Any) -> Any:
    if not isinstance(node, dict):
      return node
    return {k: strip(v) for k, v in node.items() if v is not None}

  return strip(flax.serialization.to_state_dict(state))


def from_tree(template: TrainState, tree: dict[str, Any]) -> TrainState:
  """Inverse of `to_tree`; `template` has the same structure as the state."""

  def fill(expected: Any, node: Any) -> Any:
    if not isinstance(expected, dict):
      return None if expected is None else node
    node = node or {}  # an empty optimiser state is not stored
    return {k: fill(v, node.get(k)) for k, v in expected.items()}

  expected = flax.serialization.to_state_dict(template)
  return flax.serialization.from_state_dict(template, fill(expected, tree))
