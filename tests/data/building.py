"""Builds a folder of 10,000 pictures, kills a second build, compares bytes.

python -m tests.data.building [--count=10000] [--size=64] [--workers=N]

The pictures are synthetic scenes, and shifted ones, with label maps. Prints one
JSON object: the seconds of the uninterrupted build (and of processor time in
it), of the build that was killed once half of its shards were written, and of
the run that took it up; whether all files are the same, byte for byte.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

from sginpaint.data.builders.synthetic_scenes.classes import CLASSES
from sginpaint.data.builders.synthetic_scenes.workers import encode_range

_POLL = 0.02
_SHIFTS = 20  # pictures of one scene, each shifted by a pixel more


def write_scenes(root: pathlib.Path, count: int, size: int) -> None:
  """images/, labels/ and classes.csv of `count` scenes."""
  for kind in ("images", "labels"):
    (root / kind).mkdir(parents=True)
  rows = "".join(f"{i},{name}\n" for i, (name, _) in enumerate(CLASSES))
  (root / "classes.csv").write_text(f"value,name\n{rows}")
  scenes = -(-count // _SHIFTS)
  for i, record in enumerate(encode_range(range(scenes), size)):
    for kind, data in (("images", record[0]), ("labels", record[1])):
      pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
      for shift in range(min(_SHIFTS, count - i * _SHIFTS)):
        turned = np.roll(pixels, shift, axis=1)
        path = root / kind / f"{i * _SHIFTS + shift:05d}.png"
        cv2.imwrite(str(path), turned)


def start(root: pathlib.Path, data: pathlib.Path, workers: int):
  """The command that a person would type."""
  command = [sys.executable, "-m", "sginpaint", "prepare", "folder"]
  command += ["--manual-dir", str(root), "--data-dir", str(data)]
  command += ["--workers", str(workers)]
  # Every build scans the folder anew.
  environment = os.environ | {"SGINPAINT_CACHE": str(data / "cache")}
  return subprocess.Popen(
    command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
  )


def run_to_end(root: pathlib.Path, data: pathlib.Path, workers: int) -> float:
  """Seconds of a build."""
  began = time.monotonic()
  if code := start(root, data, workers).wait():
    raise SystemExit(code)
  return time.monotonic() - began


def kill_half_way(
  root: pathlib.Path, data: pathlib.Path, workers: int, shards: int
) -> tuple[float, int]:
  """Seconds until the kill, and the shards that were whole by then."""
  began = time.monotonic()
  process = start(root, data, workers)
  reports = data / "folder" / "building"
  while process.poll() is None:
    if len(list(reports.glob("*.json"))) >= shards // 2:
      process.kill()
    time.sleep(_POLL)
  return time.monotonic() - began, len(list(reports.glob("*.json")))


def contents(data: pathlib.Path) -> dict[str, bytes]:
  """Every file of the data set."""
  files = (data / "folder").iterdir()
  return {path.name: path.read_bytes() for path in files if path.is_file()}


def main() -> None:
  """Runs the builds and prints the JSON object."""
  parser = argparse.ArgumentParser(description=__doc__)
  cores = len(os.sched_getaffinity(0))
  for flag, value in (("count", 10_000), ("size", 64), ("workers", cores)):
    parser.add_argument(f"--{flag}", type=int, default=value)
  options = parser.parse_args()
  with tempfile.TemporaryDirectory() as folder:
    base = pathlib.Path(folder)
    root = base / "scenes"
    write_scenes(root, options.count, options.size)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = run_to_end(root, base / "whole", options.workers)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    expected = contents(base / "whole")
    shards = sum("array_record" in name for name in expected)
    killed = kill_half_way(root, base / "killed", options.workers, shards)
    resumed = run_to_end(root, base / "killed", options.workers)
    report = {
      "pictures": options.count,
      "workers": options.workers,
      "shards": shards,
      "megabytes": round(sum(map(len, expected.values())) / 1e6, 1),
      "whole_seconds": round(whole, 1),
      "whole_processor_seconds": round(
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1
      ),
      "killed_after_seconds": round(killed[0], 1),
      "shards_when_killed": killed[1],
      "resumed_seconds": round(resumed, 1),
      "same_bytes": contents(base / "killed") == expected,
    }
  print(json.dumps(report, indent=1))


if __name__ == "__main__":
  main()
