"""The quickstart: the real commands, one after the other, on embedded data.

  make quickstart

A teacher and a small SPL are trained on generated scenes; that SPL and the one
in `assets/`, trained longer by `configs/spl_scenes.py`, fill the same pictures
with the same holes beside three classical fills. Run again, it resumes.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable

from sginpaint.cli import evaluate, inpaint, precompute, train
from sginpaint.cli.__main__ import run

ASSET = "assets/spl_scenes"
TEACHER = "configs/classifier.py:quick"
SPL = "configs/spl.py:quick"


def main(argv: list[str]) -> int:
  """Runs everything into `argv[0]`, `runs/quickstart` by default.

  Raises:
    UserError: as the commands that it runs.
  """
  root = pathlib.Path(argv[0] if argv else "runs/quickstart")
  teacher, spl = f"{root}/teacher", f"{root}/spl"
  use_teacher = f"--config.teacher.path={teacher}"
  for command, *words in (
    (train.main, f"--config={TEACHER}", f"--workdir={teacher}"),
    (evaluate.main, f"--workdir={teacher}"),
    (precompute.main, f"--config={SPL}", use_teacher),
    (train.main, f"--config={SPL}", use_teacher, f"--workdir={spl}"),
    (evaluate.main, f"--workdir={spl}", f"--output={root}/eval/spl"),
    (evaluate.main, f"--workdir={ASSET}", f"--output={root}/eval/assets"),
  ):
    code = _step(command, words)
    if code:
      return code
  _inpaint(root, spl)
  _report(root)
  return 0


def _step(command: Callable[[list[str]], int], words: list[str]) -> int:
  name = command.__module__.rsplit(".", 1)[-1]
  print(f"\n$ python -m sginpaint {name} {' '.join(words)}", flush=True)
  start = time.perf_counter()
  code = command(list(words))
  print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)
  return code


if __name__ == "__main__":
  sys.exit(run(main, sys.argv[1:]))
