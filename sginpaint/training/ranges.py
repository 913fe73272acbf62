"""What the numbers of a config may be, before anything is begun with them.

Choices between words are checked where they are made.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from sginpaint.errors import UserError

_PLAYERS = ("generator", "discriminator")
# Of configs/common.py, as mathematicians write them; of a list, each number.
_INTERVALS: Mapping[str, str] = {
  "seed": "[0, 4294967295]",
  "steps": "[1, inf)",
  "batch_size": "[1, inf)",
  "accumulate": "[1, inf)",
  "ema_decay": "[0, 1)",
  "data.threads": "[1, inf)",
  "masks.irregular": "[0, inf)",
  "masks.center": "[0, inf)",
  "masks.rectangle": "[0, inf)",
  "masks.irregular_ratio": "[0, 1]",
  "masks.center_size": "(0, 1]",
  "masks.rectangle_size": "(0, 1]",
  "teacher.input_scale": "[1, inf)",
  **{f"optimizer.{p}.learning_rate": "[0, inf)" for p in _PLAYERS},
  **{f"optimizer.{p}.b1": "[0, 1)" for p in _PLAYERS},
  **{f"optimizer.{p}.b2": "[0, 1)" for p in _PLAYERS},
  **{f"optimizer.{p}.eps": "[0, inf)" for p in _PLAYERS},
  **{f"optimizer.{p}.weight_decay": "[0, inf)" for p in _PLAYERS},
  "optimizer.boundaries": "[1, inf)",
  "optimizer.decay": "[0, inf)",
  "optimizer.decay_from": "[0, 1]",
  "optimizer.warmup": "[0, inf)",
  "optimizer.clip_norm": "[0, inf)",
  "checkpoint.every": "[1, inf)",
  "checkpoint.keep": "[1, inf)",
  "checkpoint.keep_every": "[0, inf)",
  "log.every": "[1, inf)",
  "log.images_every": "[0, inf)",
  "eval.every": "[0, inf)",
  "eval.in_loop_count": "[1, inf)",
  "eval.count": "[0, inf)",
  "eval.batch_size": "[1, inf)",
  "eval.seed": "[0, 4294967295]",
  "eval.edits": "[1, inf)",
  "eval.panels": "[0, inf)",
}
_ASCENDING = ("masks.irregular_ratio", "masks.rectangle_size")
_SHARES = ("irregular", "center", "rectangle")


def check_ranges(
  config: ConfigDict, *, sections: Sequence[str] | None = None
) -> None:
  """Raises UserError for numbers that no training or evaluation can have.

  Args:
    config: a resolved config.
    sections: of it that are looked at; None = all.
  """
  for field, value in _leaves(config, ""):
    if sections is None or field.split(".")[0] in sections:
      _check(field, value)
  if sections is None and not any(config.masks[name] for name in _SHARES):
    raise UserError(
      f"config.masks.irregular={config.masks.irregular}: all shares are 0; "
      f"give one of {', '.join(_SHARES)} more"
    )


def _leaves(config: ConfigDict, prefix: str) -> Iterator[tuple[str, Any]]:
  """(field, its value), references resolved."""
  for name, value in config.items():
    if isinstance(value, ConfigDict):
      yield from _leaves(value, f"{prefix}{name}.")
    else:
      yield f"{prefix}{name}", value


def _check(field: str, value: Any) -> None:
  given = f"config.{field}={_as_typed(value)}"
  items = list(_flat(value))
  numbers = [x for x in items if isinstance(x, int | float)]
  if not all(map(math.isfinite, numbers)):
    raise UserError(f"{given}: give a finite number")
  if field == "data.image_size" and (value < 16 or value % 8):
    raise UserError(f"{given}: give a multiple of 8, at least 16")
  interval = _INTERVALS.get(field) or _of_network(field, value)
  if not interval:
    return
  if len(numbers) < len(items) or (not items and _must_hold(field)):
    raise UserError(f"{given}: give numbers")
  if not all(_within(x, interval) for x in numbers):
    least, _, most = interval[1:-1].partition(", ")
    bounds = f"numbers in {interval}" if most != "inf" else f"at least {least}"
    raise UserError(f"{given}: give {bounds}")
  if field in _ASCENDING and sorted(value) != list(value):
    raise UserError(f"{given}: give the smaller one first")


def _of_network(field: str, value: Any) -> str:
  """Networks are counted in layers and channels; of these there must be one."""
  if not field.startswith("model.") or isinstance(value, bool):
    return ""
  if field.rpartition(".")[2] in ("width", "widths"):
    return "[1, inf)"
  counts = [isinstance(x, int) for x in _flat(value)]
  return "[0, inf)" if counts and all(counts) else ""


def _must_hold(field: str) -> bool:
  """Whether the list may not be empty."""
  return field.rpartition(".")[2] == "widths"


def _flat(value: Any) -> Iterator[Any]:
  """The value, or what is in it where it is a list."""
  if isinstance(value, list | tuple):
    for item in value:
      yield from _flat(item)
  else:
    yield value


def _within(number: float, interval: str) -> bool:
  low, high = map(float, interval[1:-1].split(", "))
  above = number >= low if interval[0] == "[" else number > low
  return above and (number <= high if interval[-1] == "]" else number < high)


def _as_typed(value: Any) -> str:
  return ",".join(map(str, _flat(value)))
