"""Files of published weights, read into {name: array}.

`.safetensors` and PyTorch's own format, told apart by their first bytes. What
wraps a state dict in a checkpoint is taken off by rule (`WRAPPERS`); what lies
beside it, an optimiser or an epoch, is left out and named.
"""

import dataclasses
import hashlib
import pathlib
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import safetensors
import safetensors.numpy

from sginpaint.convert import pickles
from sginpaint.errors import UserError

# Keys under which checkpoints keep the state dict, the first one present wins:
# a running average is what its authors would serve.
WRAPPERS = (
  "ema",
  "params_ema",
  "ema_state_dict",
  "state_dict",
  "model_state_dict",
  "model",
  "params",
  "net",
  "network",
  "generator",
)


@dataclasses.dataclass(frozen=True)
class Weights:
  """A state dict and where it came from.

  Attributes:
    tensors: {name: array} as stored, also in half precision.
    name: of the file.
    sha256: of the file.
    wrapper: keys that led to the state dict, as `model.ema`; "" = none.
    ignored: names of what lay beside the tensors.
    classes: names of the classes, where the file says them.
  """

  tensors: dict[str, np.ndarray]
  name: str
  sha256: str
  wrapper: str
  ignored: tuple[str, ...]
  classes: tuple[str, ...]


def read_weights(path: pathlib.Path) -> Weights:
  """Reads one file.

  Raises:
    UserError: it is no file of weights, is damaged, would run code, or needs
      PyTorch, which is not installed.
  """
  with path.open("rb") as file:
    head = file.read(64)
  if not head:
    raise UserError(f"{path}: is empty; fetch it again")
  if pickles.is_pickle(head):
    content = pickles.read(path)
  elif head[8:9] == b"{" or path.suffix == ".safetensors":
    content = _read_safetensors(path)
  else:
    raise UserError(f"{path}: {_what_else(head)}")
  tensors, wrapper, ignored = _unwrap(content)
  if not tensors:
    raise UserError(f"{path}: holds no named tensors; give a state dict")
  with path.open("rb") as file:
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
  return Weights(
    tensors=tensors,
    name=path.name,
    sha256=sha256,
    wrapper=wrapper,
    ignored=ignored,
    classes=_classes(content),
  )


def check_numbers(tensors: Mapping[str, np.ndarray]) -> None:
  """Raises UserError for tensors that no network can have.

  Args:
    tensors: those that belong to the network; counters are left out.
  """
  bad: dict[str, list[str]] = {}
  for name, tensor in tensors.items():
    if not jnp.issubdtype(tensor.dtype, jnp.floating):
      bad.setdefault(f"{tensor.dtype} instead of floats", []).append(name)
    elif not tensor.size:
      bad.setdefault("no numbers", []).append(name)
    elif not np.isfinite(tensor).all():
      bad.setdefault("NaN or infinite numbers", []).append(name)
  for what, names in bad.items():
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    raise UserError(f"{what} in {names[0]}{more}; the weights are of no use")


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
  try:
    return safetensors.numpy.load_file(path)
  except (safetensors.SafetensorError, KeyError, ValueError, TypeError) as e:
    raise pickles.damaged(path, e) from e


def _what_else(head: bytes) -> str:
  """What a file that is no weights seems to be."""
  try:
    text = " ".join(head.decode("ascii").split())
  except UnicodeDecodeError:
    return "is neither a .safetensors file nor one of PyTorch"
  return f"is text ({text[:40]!r}), not weights; fetch the file itself"


def _unwrap(
  content: Any, path: str = ""
) -> tuple[dict[str, np.ndarray], str, tuple[str, ...]]:
  """(tensors, keys that led to them, names of all else)."""
  if not isinstance(content, dict):
    return {}, path, ()
  inner = [key for key, value in content.items() if _holds_tensors(value)]
  direct = {k: v for k, v in content.items() if isinstance(v, np.ndarray)}
  chosen = next((key for key in WRAPPERS if key in inner), None)
  if chosen is None and not direct and len(inner) == 1:
    chosen = inner[0]
  if chosen is not None:
    deeper = f"{path}.{chosen}".lstrip(".")
    tensors, wrapper, ignored = _unwrap(content[chosen], deeper)
    beside = [str(key) for key in content if key != chosen]
    return tensors, wrapper, (*beside, *ignored)
  taken = list(direct)
  if not direct:
    # Players of one training side by side: their names become prefixes.
    taken = inner
    for key in inner:
      tensors, _, _ = _unwrap(content[key])
      direct |= {f"{key}.{name}": tensor for name, tensor in tensors.items()}
  others = tuple(str(key) for key in content if key not in taken)
  return {str(key): tensor for key, tensor in direct.items()}, path, others


def _holds_tensors(value: Any) -> bool:
  """Whether a state dict is in it; an optimiser's has numbers as keys."""
  if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
    return False
  return any(
    isinstance(v, np.ndarray) or _holds_tensors(v) for v in value.values()
  )


def _classes(content: Any) -> tuple[str, ...]:
  """Names of the classes as ASL's files say them."""
  names = content.get("idx_to_class") if isinstance(content, dict) else None
  if not isinstance(names, dict):
    return ()
  try:
    ordered = [str(names[key]) for key in sorted(names, key=int)]
  except (TypeError, ValueError):
    return ()
  # Attributes are told apart by their names.
  return tuple(ordered) if len(set(ordered)) == len(ordered) else ()
