"""Kills a training at random moments and compares where it ends.

  python -m tests.training.kill --kills=5 --workdir=DIR [--steps=N] \
    [--config=...] [--config.<field>=...]

Trains once without interruption, once with SIGKILL at random moments followed
by the same command, and compares the checksum of every array of both final
states. Exits with 1 when one differs.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import time

from tests.training.small import final_sums, flags, prepare_scenes


def main(argv: list[str]) -> int:
  parser = argparse.ArgumentParser()
  parser.add_argument("--kills", type=int, default=5)
  parser.add_argument("--steps", type=int, default=60)
  parser.add_argument("--workdir", type=pathlib.Path, required=True)
  parser.add_argument("--seed", type=int, default=0)
  options, words = parser.parse_known_args(argv)
  if not words:
    data = prepare_scenes(options.workdir / "data")
    words = flags(data, **{"steps": options.steps, "checkpoint.every": 5})
  run = options.workdir
  seconds = _train(words, run / "whole")
  print(f"uninterrupted: {seconds:.1f} s")
  chance = random.Random(options.seed)
  for i in range(options.kills):
    after = chance.uniform(0.2, 0.9) * seconds
    died = _train(words, run / "killed", kill_after=after)
    print(f"kill {i + 1}: SIGKILL after {died:.1f} s")
  _train(words, run / "killed")
  whole, killed = final_sums(run / "whole"), final_sums(run / "killed")
  same = sum(whole[name] == killed.get(name) for name in whole)
  print(f"{same} of {len(whole)} arrays bit-identical")
  return int(same != len(whole))


def _train(
  words: list[str], workdir: pathlib.Path, kill_after: float | None = None
) -> float:
  start = time.perf_counter()
  process = subprocess.Popen(
    [sys.executable, "train.py", f"--workdir={workdir}", *words],
    stderr=subprocess.DEVNULL,
  )
  try:
    code = process.wait(timeout=kill_after)
    if code:
      raise SystemExit(f"training ended with {code}")
  except subprocess.TimeoutExpired:
    process.kill()
    process.wait()
  return time.perf_counter() - start


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
