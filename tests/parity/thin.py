"""Makes a golden small enough to be committed: `python -m tests.parity.thin`.

Keeps every array but fewer of its numbers: the steps of its slice grow until it
has at most `--numbers` of them. Inputs and stored parameters stay whole.
"""

import argparse
import json
import pathlib
import sys
from typing import Any

import numpy as np

from tests.parity import golden


def thin(
  array: np.ndarray, entry: dict[str, Any], numbers: int
) -> tuple[np.ndarray, dict[str, Any]]:
  """The array with larger steps, and its description brought in line."""
  slices = [list(s) for s in entry["slice"]]
  while array.size > numbers:
    axis = int(np.argmax(array.shape))
    # 3 is prime to the powers of two that most axes are made of.
    array = np.take(array, range(0, array.shape[axis], 3), axis=axis)
    slices[axis][2] *= 3
  return array, {**entry, "slice": slices}


def main(argv: list[str] | None = None) -> int:
  """Thins the named cases; returns the exit code."""
  parser = argparse.ArgumentParser(prog="thin", description=__doc__)
  parser.add_argument("--source", required=True, type=pathlib.Path)
  parser.add_argument("--target", required=True, type=pathlib.Path)
  parser.add_argument("--numbers", type=int, default=400)
  parser.add_argument("cases", nargs="+")
  args = parser.parse_args(argv)
  for name in args.cases:
    case = golden.load(args.source, name)
    stored, arrays = dict(case.stored), {}
    for key, entry in case.arrays.items():
      stored[key], arrays[key] = thin(stored[key], entry, args.numbers)
    meta = {**case.meta, "arrays": arrays}
    meta.pop("set", None)
    args.target.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.target / f"{name}.npz", **stored)
    path = args.target / f"{name}.json"
    path.write_text(json.dumps(meta, separators=(",", ":")))
  return 0


if __name__ == "__main__":
  sys.exit(main())
