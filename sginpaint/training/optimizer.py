"""Optimisers and learning-rate schedules, from `config.optimizer`."""

from collections.abc import Callable

import jax
import optax
from ml_collections import ConfigDict

from sginpaint.errors import UserError


def build_optimizers(
  config: ConfigDict, steps: int
) -> dict[str, optax.GradientTransformation]:
  """One optimiser per player.

  Args:
    config: `config.optimizer`.
    steps: length of the training.

  Raises:
    UserError: an unknown schedule.
  """
  return {
    player: _partition(_adam(config, config[player], steps), config, player)
    for player in ("generator", "discriminator")
  }


def _adam(
  config: ConfigDict, player: ConfigDict, steps: int
) -> optax.GradientTransformation:
  rate = build_schedule(config, player.learning_rate, steps)
  moments = {"b1": player.b1, "b2": player.b2, "eps": player.eps}
  adam = (
    optax.adamw(rate, weight_decay=player.weight_decay, **moments)
    if player.weight_decay
    else optax.adam(rate, **moments)
  )
  if not config.clip_norm:
    return adam
  return optax.chain(optax.clip_by_global_norm(config.clip_norm), adam)


def build_schedule(
  config: ConfigDict, rate: float, steps: int
) -> Callable[[jax.Array], jax.Array]:
  """Learning rate as a function of the step (`config.schedule`)."""
  warmup = config.warmup
  if config.schedule == "constant":
    main = optax.constant_schedule(rate)
  elif config.schedule == "steps":
    # optax shifts what follows a warm-up, so boundaries count from its end.
    main = optax.piecewise_constant_schedule(
      rate, {b - warmup: config.decay for b in config.boundaries}
    )
  elif config.schedule == "linear":
    begin = int(config.decay_from * steps)
    main = optax.linear_schedule(
      rate, 0.0, max(steps - begin, 1), begin - warmup
    )
  elif config.schedule == "cosine":
    main = optax.cosine_decay_schedule(rate, max(steps - warmup, 1))
  else:
    raise UserError(
      f"config.optimizer.schedule is {config.schedule!r}; "
      "choose constant, steps, linear or cosine"
    )
  if not warmup:
    return main
  return optax.join_schedules(
    [optax.linear_schedule(0.0, rate, warmup), main], [warmup]
  )


def _partition(
  optimizer: optax.GradientTransformation, config: ConfigDict, player: str
) -> optax.GradientTransformation:
  """Holds the submodules of `config.frozen` at their values."""
  prefixes = [
    tuple(name.split("/")[1:])
    for name in config.frozen
    if name.split("/")[0] == player
  ]
  if not prefixes:
    return optimizer

  def label(path: tuple, _: jax.Array) -> str:
    names = tuple(str(key.key) for key in path)
    held = any(names[: len(prefix)] == prefix for prefix in prefixes)
    return "frozen" if held else "trained"

  return optax.partition(
    {"trained": optimizer, "frozen": optax.set_to_zero()},
    lambda params: jax.tree_util.tree_map_with_path(label, params),
  )
