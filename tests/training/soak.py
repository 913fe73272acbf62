"""Kills a training again and again and compares where it ends.

  python -m tests.training.soak --workdir=DIR [--minutes=30] [--every=60]

Trains a small SPL on the embedded scenes, in so many steps that it takes about
as long as told, with SIGKILL at random moments, --every seconds apart on the
mean, each followed by the same command; then once without interruption. Prints
what came of it as JSON, and exits with 1 unless

- every array of both final states is the same, bit for bit;
- no process and no shared memory outlived a kill;
- checkpoints never took more than the retention allows, and besides the kept
  ones nothing is left of them;
- the resident memory of the uninterrupted run does not grow.

Ctrl-C ends it; the same command goes on. An uninterrupted run that was ended
begins anew.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from sginpaint.files import write_json
from sginpaint.workdirs import checkpoint_path, steps
from tests.training.small import final_sums, flags, prepare_scenes
from tests.training.watched import MIB, Life, size_of

KEEP = 3  # of common.py
# Beside those kept: one that is being written, one that a kill left, one that
# is about to be removed.
ROOM = 3
CALIBRATION = 1000  # steps; the second half of them is timed
GROWTH = 0.01  # of the resident memory, a minute; below is noise
_LOOK = 1.0  # seconds


def main(argv: list[str]) -> int:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--workdir", type=pathlib.Path, required=True)
  parser.add_argument("--minutes", type=float, default=30)
  parser.add_argument("--every", type=float, default=60)
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args(argv)
  root = options.workdir
  data = prepare_scenes(root / "data")
  report = Report(root / "soak.json")
  if "steps" not in report:
    report.put("steps", _plan(root, data, options.minutes))
  words = _words(data, report["steps"])
  while not report.get("survived"):
    _live(words, root / "killed", report, options)
  if not report.get("whole"):
    _run_whole(words, root / "whole", report)
  found = _verdict(root, report)
  print(json.dumps(found, indent=2))
  return int(not all(found["passed"].values()))


class Report(dict):
  """What was found so far, kept in a file."""

  def __init__(self, path: pathlib.Path):
    self._path = path
    super().__init__(json.loads(path.read_text()) if path.is_file() else {})

  def put(self, name: str, value: Any) -> None:
    self[name] = value
    write_json(self._path, dict(self))


def _words(data: str, count: int) -> list[str]:
  # Saves are some seconds apart, with pictures and evaluations between them.
  every = max(100, count // 200)
  return flags(
    data,
    **{
      "steps": count,
      "checkpoint.every": every,
      "checkpoint.best": "hole_psnr",
      "eval.every": 4 * every,
      "eval.in_loop_count": 4,
      "log.every": 10,
      "log.images_every": 4 * every,
      "ema_decay": 0.99,
    },
  )


def _plan(root: pathlib.Path, data: str, minutes: float) -> int:
  """The number of steps that takes so long."""
  workdir = root / "calibration"
  shutil.rmtree(workdir, ignore_errors=True)
  _tell("measuring how long a step takes")
  times: dict[int, float] = {}
  life = Life(_words(data, CALIBRATION), workdir)
  _watch(
    life,
    workdir,
    lambda: times.setdefault(_last_step(workdir), life.seconds),
  )
  late = {n: t for n, t in times.items() if n >= CALIBRATION // 2}
  rate = (max(late) - min(late)) / (max(late.values()) - min(late.values()))
  count = max(CALIBRATION, round(minutes * 60 * rate / 100) * 100)
  _tell(f"{rate:.1f} steps a second: {count} steps")
  return count


def _live(
  words: list[str],
  workdir: pathlib.Path,
  report: Report,
  options: argparse.Namespace,
) -> None:
  """One life of the training that is killed, noted in the report."""
  lives = report.setdefault("lives", [])
  chance = random.Random(f"{options.seed} {len(lives)}")
  limit = chance.uniform(0.5, 1.5) * options.every
  # Where a start takes longer than lives last, no life would get on.
  saved = [life["saved"] for life in lives]
  limit *= 2 ** (saved.count(saved[-1]) - 1 if saved else 0)
  life = Life(words, workdir)
  survived = _watch(life, workdir, lambda: life.seconds > limit)
  lives.append(_describe(life, workdir))
  _tell(
    f"life {len(lives)}: {lives[-1]['seconds']:.0f} s, to step "
    f"{lives[-1]['step']} of {report['steps']}, saved {lives[-1]['saved']}"
  )
  report.put("survived", survived)


def _run_whole(words: list[str], workdir: pathlib.Path, report: Report) -> None:
  shutil.rmtree(workdir, ignore_errors=True)
  _tell("without interruption")
  life = Life(words, workdir)
  told = time.monotonic()

  def tell() -> None:
    nonlocal told
    if time.monotonic() > told + 60:
      told = time.monotonic()
      _tell(f"step {_last_step(workdir)} of {report['steps']}")

  _watch(life, workdir, tell)
  report.put("whole", _describe(life, workdir))


def _watch(life: Life, workdir: pathlib.Path, look: Callable[[], Any]) -> bool:
  """Until `look` is True, which kills it, or it ends: whether it ended."""
  try:
    while not life.ended():
      life.look(_last_step(workdir))
      if look() is True:
        return False
      time.sleep(_LOOK)
    return True
  finally:
    life.kill()


def _describe(life: Life, workdir: pathlib.Path) -> dict[str, Any]:
  resident = [size for _, size in life.samples]
  return {
    "seconds": life.seconds,
    "step": _last_step(workdir),
    "saved": max(steps(str(workdir)), default=0),
    "orphans": life.left_behind(),
    "shared_memory_left": life.leaked(),
    "checkpoint_bytes": life.disk,
    "resident_mib": max(resident, default=0) / MIB,
    "growth_mib_a_minute": life.growth(),
  }


def _last_step(workdir: pathlib.Path) -> int:
  log = workdir / "log.jsonl"
  # A line may be half written.
  lines = log.read_text().split("\n")[:-1] if log.is_file() else []
  return json.loads(lines[-1])["step"] if lines else 0


def _verdict(root: pathlib.Path, report: Report) -> dict[str, Any]:
  lives, whole = report["lives"], report["whole"]
  sums = final_sums(root / "whole"), final_sums(root / "killed")
  kept = steps(str(root / "killed"))
  one = max(size_of(checkpoint_path(str(root / "killed"), s)) for s in kept)
  most = max(life["checkpoint_bytes"] for life in lives)
  names = {p.name for p in (root / "killed" / "checkpoints").iterdir()}
  slopes = [g for life in lives if (g := life["growth_mib_a_minute"])]
  return {
    "minutes": sum(life["seconds"] for life in lives) / 60,
    "steps": report["steps"],
    "kills": len(lives) - 1,
    "arrays": len(sums[0]),
    "whole": whole,
    "killed": {
      "workdir_bytes": size_of(root / "killed"),
      "one_checkpoint_bytes": one,
      "most_checkpoint_bytes": most,
      "resident_mib": max(life["resident_mib"] for life in lives),
      "growth_mib_a_minute": statistics.median(slopes) if slopes else None,
    },
    "passed": {
      "same_parameters": sums[0] == sums[1],
      "no_orphans": not any(life["orphans"] for life in [*lives, whole]),
      "no_shared_memory_left": not any(
        life["shared_memory_left"] for life in [*lives, whole]
      ),
      # The best one is kept besides.
      "bounded_checkpoints": most <= (KEEP + 1 + ROOM) * one,
      "nothing_else_left": (
        names == set(map(str, kept)) and len(kept) <= KEEP + 1
      ),
      "flat_memory": whole["growth_mib_a_minute"] is None
      or whole["growth_mib_a_minute"] < GROWTH * whole["resident_mib"],
    },
  }


def _tell(text: str) -> None:
  print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
  for number in (signal.SIGINT, signal.SIGTERM):  # also in the background
    signal.signal(number, signal.default_int_handler)
  try:
    sys.exit(main(sys.argv[1:]))
  except KeyboardInterrupt:
    sys.exit(130)
