"""PyTorch's own files (.pth, .pt, .bin), read by PyTorch, for tensors only.

They are pickles: little programs. Which functions a pickle would call is looked
up first without running it, so that a harmful one is refused with its reason,
and also where PyTorch, an optional extra, is not installed. The safeguard
itself is PyTorch's `weights_only=True`.
"""

import pathlib
import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from sginpaint.errors import UserError

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
# Where tensors and what holds them come from; PyTorch allows less than these.
_HARMLESS_MODULES = ("torch", "collections", "numpy", "_codecs")
_HARMLESS = ("builtins.set", "__builtin__.set")
# In files older than PyTorch 1.6: magic number, version, sizes, content, keys.
_PARTS = 5
_TEXT = ("SHORT_BINUNICODE", "BINUNICODE", "UNICODE", "BINUNICODE8")


def is_pickle(head: bytes) -> bool:
  """Whether a file that begins so is PyTorch's."""
  return head.startswith((_ZIP, _PICKLE))


def read(path: pathlib.Path) -> Any:
  """What was saved, with numpy arrays in the place of tensors.

  Raises:
    UserError: the file is damaged, would run code, or PyTorch is missing.
  """
  unknown = sorted(set(_calls(path)))
  foreign = [name for name in unknown if not _harmless(name)]
  if foreign:
    raise UserError(_refusal(path, ", ".join(foreign[:3])))
  try:
    import torch
  except ImportError as e:
    raise UserError(
      f"{path}: PyTorch's files need it to be read: "
      "pip install 'sginpaint[torch]'"
    ) from e
  try:
    content = torch.load(path, map_location="cpu", weights_only=True)
    return _to_numpy(content, torch)
  except pickle.UnpicklingError as e:
    if "nsupported" in str(e):  # "Unsupported global", "Unsupported operand"
      raise UserError(_refusal(path, "PyTorch does not allow it")) from e
    raise damaged(path, e) from e
  except Exception as e:  # it raises many types for a damaged file
    raise damaged(path, e) from e


def damaged(path: pathlib.Path, error: Exception | None = None) -> UserError:
  """The error for a file that is not whole."""
  reason = str(error).splitlines()[0].rstrip(".") if str(error or "") else ""
  why = f" ({reason[:120]})" if reason else ""
  return UserError(f"{path}: is damaged or cut short{why}; fetch it again")


def _refusal(path: pathlib.Path, what: str) -> str:
  return (
    f"{path}: reading it could run code of its own ({what}), so it was not "
    "loaded; save its state_dict alone, best as .safetensors"
  )


def _harmless(name: str) -> bool:
  return name.split(".")[0] in _HARMLESS_MODULES or name in _HARMLESS


def _calls(path: pathlib.Path) -> Iterator[str]:
  """Full names of everything that unpickling the file would look up."""
  with path.open("rb") as file:
    if file.read(len(_ZIP)) != _ZIP:
      file.seek(0)
      yield from _globals(file, _PARTS)
      return
  try:
    with zipfile.ZipFile(path) as archive:
      names = [n for n in archive.namelist() if n.endswith("/data.pkl")]
      if not names:
        raise UserError(f"{path}: is a .zip archive, not PyTorch weights")
      if any(name.endswith("/constants.pkl") for name in archive.namelist()):
        raise UserError(
          f"{path}: is a TorchScript program; save its state_dict instead"
        )
      with archive.open(names[0]) as file:
        yield from _globals(file, 1)
  except (zipfile.BadZipFile, EOFError) as e:
    raise damaged(path, e) from e


def _globals(file: IO[bytes], parts: int) -> Iterator[str]:
  for _ in range(parts):
    texts: list[str] = []
    try:
      for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in _TEXT:
          texts.append(str(argument))
        elif opcode.name in ("GLOBAL", "INST"):
          yield str(argument).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
          # Module and name are the last two texts, unless they were disguised.
          yield ".".join(texts[-2:])
    except ValueError:
      return  # no (further) pickle; whether one is missing PyTorch will tell


def _to_numpy(value: Any, torch: Any) -> Any:
  if isinstance(value, torch.Tensor):
    tensor = value.detach().cpu()
    if tensor.dtype == torch.bfloat16:  # unknown to numpy
      import ml_dtypes

      bits = tensor.contiguous().view(torch.uint16).numpy()
      return bits.view(ml_dtypes.bfloat16)
    return np.asarray(tensor)
  if isinstance(value, dict):
    return {key: _to_numpy(inner, torch) for key, inner in value.items()}
  return value
