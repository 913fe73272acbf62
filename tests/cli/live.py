"""Watches a training while it runs, beside a save that is never finished.

  python -m tests.cli.live --workdir=DIR [--steps=300]

Exits with 1 unless every checkpoint was evaluated once.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from tests.training.small import flags, prepare_scenes


def main(argv: list[str]) -> int:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--workdir", type=pathlib.Path, required=True)
  parser.add_argument("--steps", type=int, default=300)
  options = parser.parse_args(argv)
  run = options.workdir / "run"
  saves = {"checkpoint.every": options.steps // 5, "checkpoint.keep": 9}
  data = prepare_scenes(options.workdir / "data")
  words = flags(data, **{"steps": options.steps, "log.every": 10} | saves)
  training = subprocess.Popen(
    [sys.executable, "train.py", f"--workdir={run}", *words]
  )
  while not (run / "config.json").is_file():
    assert training.poll() is None
    time.sleep(0.1)
  (run / "checkpoints" / "1").mkdir(parents=True, exist_ok=True)
  told = subprocess.run(
    [sys.executable, "evaluate.py", f"--workdir={run}", "--watch"],
    check=True,
    stdout=subprocess.PIPE,
    text=True,
  ).stdout
  assert training.wait() == 0
  print(told)
  steps = [options.steps // 5 * i for i in range(1, 6)]
  points = json.loads((run / "eval" / "curve.json").read_text())["points"]
  once = all(told.count(f"step {step}:") == 1 for step in steps)
  return int(not once or [p["step"] for p in points] != steps)


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
