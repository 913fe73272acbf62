"""Networks that somebody trained before, by the words of a config field.

A field of that kind says `none`, `random:<seed>`, or the path of a workdir:
converted from published weights, or trained here. Nothing is replaced silently:
what is missing is an error that tells where to get it.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint import checkpoints, upstream
from sginpaint.errors import UserError
from sginpaint.workdirs import steps

RANDOM = "random:"


@dataclasses.dataclass(frozen=True)
class Pretrained:
  """A network with its weights.

  Attributes:
    module: the network.
    variables: what it is applied with.
    name: the model (`vgg16`, ...), the system that was trained here, or
      `random:<seed>`.
    hash: sha256 of the values.
    official: whether these are the values of the file that the model's
      project published. Only then do scores bear the measure's usual name.
  """

  module: nn.Module
  variables: dict[str, Any]
  name: str
  hash: str
  official: bool


def is_path(spec: str) -> bool:
  """Whether the field names a workdir: neither `none` nor `random:<seed>`."""
  return spec != "none" and not spec.startswith(RANDOM)


def load_network(
  spec: str,
  *,
  field: str,
  model: str,
  default: nn.Module | None = None,
  pictures: int = 1,
) -> Pretrained | None:
  """Loads what a config field names.

  Args:
    spec: value of the field: `none`, `random:<seed>`, or path of a workdir.
    field: its name, for messages.
    model: which published model it usually names, a key of `upstream.MODELS`.
    default: the network that `random:<seed>` initialises; None = not allowed.
    pictures: how many [1, 64, 64, 3] that network takes.

  Returns:
    The network, or None for `none`.

  Raises:
    UserError: the path or seed is no such thing; the message names the field,
      the file to fetch and the command that converts it.
  """
  if spec == "none":
    return None
  if spec.startswith(RANDOM):
    return _random(spec, field, default, pictures)
  check_path(spec, field=field, model=model)
  loaded = checkpoints.load(spec)
  source = loaded.config.get("source")
  return Pretrained(
    module=loaded.system.generator,
    variables=loaded.variables,
    name=source.model if source else loaded.config.system,
    hash=loaded.hash,
    # Of a copy that was rounded or trained further the values are others.
    official=bool(source and source.official and source.hash == loaded.hash),
  )


def seed_of(spec: str, *, field: str, allowed: bool) -> int:
  """The seed in `random:<seed>`.

  Args:
    spec: value of the field.
    field: its name.
    allowed: whether some network belongs there that may be random.

  Raises:
    UserError: there is no number, or nothing may be random.
  """
  seed = spec.removeprefix(RANDOM)
  if not allowed or not seed.isdigit():
    choices = f"{RANDOM}<number>" if allowed else "none or a workdir"
    raise UserError(f"{field}={spec}: write {choices}")
  return int(seed)


def check_path(
  path: str, *, field: str, model: str, otherwise: str = ""
) -> None:
  """Raises a UserError where `path` is no workdir with a checkpoint.

  Args:
    path: value of the field.
    field: its name.
    model: the published model that belongs there; "" = there is none.
    otherwise: what else may be done, for the message.
  """
  if path and steps(path):
    return
  what = f"{field}={path}: no weights there" if path else f"{field} is empty"
  choices = [otherwise]
  if model:
    choices.append(upstream.how_to_get(model, path or f"runs/{model}"))
  raise UserError(f"{what}; {', or '.join(filter(None, choices))}")


def _random(
  spec: str, field: str, default: nn.Module | None, pictures: int
) -> Pretrained:
  seed = seed_of(spec, field=field, allowed=default is not None)
  assert default is not None
  inputs = [jnp.zeros((1, 64, 64, 3))] * pictures
  # One program, so that the compilation cache keeps it.
  variables = dict(jax.jit(default.init)(jax.random.key(seed), *inputs))
  return Pretrained(
    module=default,
    variables=variables,
    name=spec,
    hash=checkpoints.hash_variables(variables),
    official=False,
  )
