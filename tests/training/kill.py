"""Kills a training at random moments and compares where it ends.

  python -m tests.training.kill --kills=5 --workdir=DIR [--steps=N]

Trains once without interruption, once with SIGKILL at random moments spread
over the run (saves are under way at many of them), each followed by the same
command, and compares the checksum of every array of both final states. Exits
with 1 when one differs.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import time

from sginpaint.workdirs import steps
from tests.training.small import final_sums, flags, prepare_scenes


def main(argv: list[str]) -> int:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--kills", type=int, default=5)
  parser.add_argument("--steps", type=int, default=120)
  parser.add_argument("--workdir", type=pathlib.Path, required=True)
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args(argv)
  run = options.workdir
  words = flags(
    prepare_scenes(run / "data"),
    **{"steps": options.steps, "checkpoint.every": 3, "log.every": 1},
  )
  _start(words, run / "whole").wait()
  chance = random.Random(options.seed)
  for i in range(options.kills):
    share = (i + chance.random()) / options.kills
    process = _start(words, run / "killed")
    step = _kill(process, run / "killed", int(share * options.steps), chance)
    saved = steps(str(run / "killed"))
    print(f"kill {i + 1}: at step {step}, saved {saved}", flush=True)
  _start(words, run / "killed").wait()
  whole, killed = final_sums(run / "whole"), final_sums(run / "killed")
  same = sum(whole[name] == killed.get(name) for name in whole)
  print(f"{same} of {len(whole)} arrays bit-identical")
  return int(same != len(whole))


def _start(words: list[str], workdir: pathlib.Path) -> subprocess.Popen:
  return subprocess.Popen(
    [sys.executable, "train.py", f"--workdir={workdir}", *words],
    stderr=subprocess.DEVNULL,
  )


def _kill(
  process: subprocess.Popen,
  workdir: pathlib.Path,
  after: int,
  chance: random.Random,
) -> int:
  """Kills `process` somewhere after a step; the last step that was logged."""
  log = workdir / "log.jsonl"
  while not log.exists() or _last_step(log) < after:
    if process.poll() is not None:
      raise SystemExit(f"the training ended by itself: {process.returncode}")
    time.sleep(0.02)
  time.sleep(chance.uniform(0, 0.3))
  process.kill()
  process.wait()
  return _last_step(log)


def _last_step(log: pathlib.Path) -> int:
  # A line may be half written.
  lines = log.read_text().split("\n")[:-1]
  return json.loads(lines[-1])["step"] if lines else 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
