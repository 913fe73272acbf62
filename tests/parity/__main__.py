"""Runs golden cases: `python -m tests.parity --golden DIR [--cases a b]`.

Prints a line per case and exits with 1 when one exceeds its tolerances, left an
array out, compared none, or is not known.
"""

import argparse
import pathlib
import sys

import jax

from tests.parity import golden
from tests.parity.cases import CASES
from tests.parity.compare import Result, compare


def run_case(directory: pathlib.Path, name: str) -> Result:
  """Runs one case and compares it; a case that cannot run has failed."""
  if name not in CASES:
    return _failure(name, "no such case is known")
  if not (directory / f"{name}.json").is_file():
    return _failure(name, f"not in {directory}")
  try:
    case = golden.load(directory, name)
    # TF32 or bfloat16 products would hide what is looked for here.
    with jax.default_matmul_precision("highest"):
      return compare(case, CASES[name](case))
  except Exception as e:  # the other cases still run
    return _failure(name, f"{type(e).__name__}: {e}")


def _failure(name: str, problem: str) -> Result:
  return Result(name, 0, float("nan"), "-", (problem,))


def main(argv: list[str] | None = None) -> int:
  """Runs the cases; returns the exit code."""
  parser = argparse.ArgumentParser(prog="parity", description=__doc__)
  parser.add_argument("--golden", required=True, type=pathlib.Path)
  parser.add_argument("--cases", nargs="+")
  args = parser.parse_args(argv)
  names = args.cases or golden.names(args.golden)
  if not names:
    print(f"no cases in {args.golden}", file=sys.stderr)
    return 1
  failed = 0
  for name in names:
    result = run_case(args.golden, name)
    print(result.line(), flush=True)
    failed += not result.passed
  print(f"{len(names) - failed} of {len(names)} cases passed")
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
