"""Optimisers and learning-rate schedules, from `config.optimizer`."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import optax
from ml_collections import ConfigDict

from sginpaint.errors import UserError, check_choice

_POLY_POWER = 0.9  # Chen et al., DeepLab (2016), section 4.1.2


def build_optimizers(
  config: ConfigDict, steps: int
) -> dict[str, optax.GradientTransformation]:
  """One optimiser per player.

  Args:
    config: `config.optimizer`.
    steps: length of the training.

  Raises:
    UserError: an unknown optimiser or schedule.
  """
  return {
    player: _partition(_build(config, player, steps), config, player)
    for player in ("generator", "discriminator")
  }


def check_held(
  config: ConfigDict, shapes: Mapping[str, Mapping[str, Any]]
) -> None:
  """Raises UserError where `config.frozen` names what is not there.

  Args:
    config: `config.optimizer`.
    shapes: {player: variables} of the system, at least their structure.
  """
  for name in config.frozen:
    player, *path = name.split("/")
    found: Any = shapes.get(player, {}).get("params")
    for part in path:
      found = found.get(part) if isinstance(found, Mapping) else None
    if found is None:
      known = [f"{p}/{n}" for p, v in shapes.items() for n in v["params"]]
      raise UserError(
        f"config.optimizer.frozen={name}: not there; there is "
        f"{', '.join(known)}"
      )


def _build(
  config: ConfigDict, player: str, steps: int
) -> optax.GradientTransformation:
  name = config[player].name
  check_choice(f"optimizer.{player}.name", name, _OPTIMIZERS)
  rate = build_schedule(config, config[player].learning_rate, steps)
  optimizer = _OPTIMIZERS[name](rate, config[player])
  if not config.clip_norm:
    return optimizer
  return optax.chain(optax.clip_by_global_norm(config.clip_norm), optimizer)


def _adam(
  rate: optax.Schedule, player: ConfigDict
) -> optax.GradientTransformation:
  moments = {"b1": player.b1, "b2": player.b2, "eps": player.eps}
  if not player.weight_decay:
    return optax.adam(rate, **moments)
  return optax.adamw(rate, weight_decay=player.weight_decay, **moments)


def _sgd(
  rate: optax.Schedule, player: ConfigDict
) -> optax.GradientTransformation:
  # Unlike in AdamW the decay is part of the gradient: it gathers momentum.
  return optax.chain(
    optax.add_decayed_weights(player.weight_decay),
    optax.sgd(rate, momentum=player.b1),
  )


_OPTIMIZERS = {"adam": _adam, "sgd": _sgd}


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
  elif config.schedule == "poly":
    main = optax.polynomial_schedule(
      rate, 0.0, _POLY_POWER, max(steps - warmup, 1)
    )
  else:
    raise UserError(
      f"config.optimizer.schedule is {config.schedule!r}; "
      "choose constant, steps, linear, cosine or poly"
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
