"""Fills holes in pictures; needs JAX, NumPy and what lies beside this file.

python load.py image.npy mask.npy out.npy [name=FILE.npy ...]

image is uint8 [B, H, W, 3], mask [B, H, W] with non-zero = hole, or both
without B. Further inputs by name, such as segmentation, and possible sizes are
in artefact.json. out.npy gets the pictures; out.npz, if it is called so, all
outputs. In Python: load()(image, mask, **further) -> {name: array}.
"""

import json
import pathlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax import export

HERE = pathlib.Path(__file__).resolve().parent


def load(folder: pathlib.Path = HERE) -> Callable[..., dict[str, np.ndarray]]:
  """Returns fill(image, mask, *, segmentation, attributes) -> {name: array}."""
  about = json.loads((folder / "artefact.json").read_text())
  weights = jax.device_put(dict(np.load(folder / "variables.npz")))
  sys.path.append(str(folder))  # has flatbuffers, with which JAX reads programs
  programs: dict[str, Any] = {}

  def fill(image: Any, mask: Any, **told: Any) -> dict[str, np.ndarray]:
    single = np.ndim(image) == 3
    given = {"image": image, "mask": np.asarray(mask) != 0, **told}
    inputs = _checked(about, given, single=single)
    file = _program(about["programs"], inputs["mask"].shape)
    if file not in programs:
      program = export.deserialize(bytearray((folder / file).read_bytes()))
      programs[file] = jax.jit(program.call)
    outputs = jax.device_get(programs[file](weights, inputs))
    if not outputs.pop("finite").all():
      raise ValueError("predicts values that are not finite")
    return {name: x[0] if single else x for name, x in outputs.items()}

  return fill


def _checked(
  about: Mapping[str, Any], given: Mapping[str, Any], *, single: bool
) -> dict[str, np.ndarray]:
  """All inputs, with a batch axis; where nothing is said, what says so."""
  specs, inputs = about["inputs"], {}
  if unknown := set(given) - set(specs):
    raise ValueError(f"takes no {min(unknown)}; it takes {', '.join(specs)}")
  arrays = {n: np.asarray(x) for n, x in given.items() if x is not None}
  if single:
    arrays = {name: x[None] for name, x in arrays.items()}
  sizes = dict(zip("BHW", arrays["image"].shape, strict=False))
  for name, spec in specs.items():
    want = tuple(sizes.get(letter, letter) for letter in spec["shape"])
    unsaid, (low, high) = float(spec.get("unsaid", "nan")), spec["range"]
    if name not in arrays and spec["required"]:
      raise ValueError(f"{name} must be given")
    x = arrays[name] if name in arrays else np.full(want, unsaid)
    fits = np.can_cast(x.dtype, spec["dtype"], "same_kind")
    if x.shape != want or not (fits or name not in arrays):
      wanted = f"{spec['dtype']} {spec['shape']}".replace("'", "")
      raise ValueError(f"{name} must be {wanted}, is {x.dtype} {x.shape}")
    wrong = ((x < low) | (x > high)) & (x != unsaid)
    if wrong.any():
      raise ValueError(f"{name} must be {low}..{high}, has {x[wrong][0]}")
    inputs[name] = x.astype(spec["dtype"])
  return inputs


def _program(programs: Any, shape: tuple[int, ...]) -> str:
  """The file of the first program that takes masks of this shape."""
  batch, *size = shape
  for program in programs:
    multiple = program["multiple"]
    fits = all(side and side % multiple == 0 for side in size)
    if program["size"] not in (None, size) or not fits:
      continue
    if batch and program["batch"] in (None, batch):
      return program["file"]
  have = "; ".join(program["takes"] for program in programs)
  raise ValueError(
    f"no program for {batch} of {size[0]}x{size[1]}; has: {have}"
  )


def main(argv: list[str]) -> None:
  """Runs `load.py image.npy mask.npy out.npy [name=FILE ...]`."""
  named = [word.partition("=") for word in argv[3:]]
  if len(argv) < 3 or not argv[2].endswith((".npy", ".npz")):
    raise ValueError("give image.npy mask.npy out.npy|out.npz [name=FILE ...]")
  told = {name: np.load(path) for name, _, path in named}
  outputs = load()(np.load(argv[0]), np.load(argv[1]), **told)
  if argv[2].endswith(".npz"):
    np.savez(argv[2], **outputs)  # type: ignore[arg-type]
  else:
    np.save(argv[2], outputs["image"])


if __name__ == "__main__":
  try:
    main(sys.argv[1:])
  except (OSError, ValueError) as e:
    sys.exit(f"load.py: error: {' '.join(str(e).split())}")
