"""The quickstart: the real commands, one after the other, on embedded data.

  make quickstart

A teacher and a small SPL are trained on generated scenes; that SPL and the one
in `assets/`, trained longer by `configs/spl_scenes.py`, fill the same pictures
with the same holes beside three classical fills. Run again, it resumes.
"""

import pathlib
import sys
import time
from collections.abc import Callable

from sginpaint.cli import evaluate, inpaint, precompute, train
from sginpaint.cli.__main__ import run
from sginpaint.files import write_json
from sginpaint.workdirs import load_config

ASSET = "assets/spl_scenes"
TEACHER = "configs/classifier.py:quick"
SPL = "configs/spl.py:quick"
PICTURES = 6


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
  ):
    code = _run(command, words)
    if code:
      return code
  _compare(root, spl)
  _write_pictures(root / "pictures", spl)
  return _run(
    inpaint.main,
    [
      f"--checkpoint={spl}",
      f"--image={root}/pictures/images",
      f"--mask={root}/pictures/masks",
      f"--output={root}/pictures/filled",
    ],
  ) or _tell(root)


def _run(command: Callable[[list[str]], int], words: list[str]) -> int:
  name = command.__module__.rsplit(".", 1)[-1]
  print(f"\n$ python -m sginpaint {name} {' '.join(words)}", flush=True)
  start = time.perf_counter()
  code = command(list(words))
  print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)
  return code


def _compare(root: pathlib.Path, spl: str) -> None:
  """Both checkpoints on the test split, under the same holes, in one report."""
  from sginpaint.evaluation import evaluator, output
  from sginpaint.evaluation.report import write_report

  print("\nEvaluating the checkpoint just trained, and the one in assets/")
  evaluations = []
  for workdir, name, description in (
    (spl, "SPL, just trained", "Trained by this quickstart in a few minutes."),
    (
      ASSET,
      "SPL from assets/",
      "The same system trained longer, by configs/spl_scenes.py.",
    ),
  ):
    loaded, split = evaluate.open_run(workdir, load_config(workdir))
    evaluations.append(
      evaluator.run(loaded, split, name=name, description=description)
    )
    output.save(evaluations[-1], root / "eval" / pathlib.Path(workdir).name)
  write_json(root / "metrics.json", evaluations[0].metrics)
  write_report(
    root / "report.html",
    evaluations=evaluations,
    title="sginpaint quickstart",
    lead="A small SPL on generated scenes, trained from nothing by this run, "
    "beside one trained longer and three classical fills.",
  )


def _write_pictures(folder: pathlib.Path, spl: str) -> None:
  """A few test pictures with a hole each, as files for `inpaint`."""
  import jax
  import numpy as np
  from PIL import Image

  from sginpaint.data import masks

  _, split = evaluate.open_run(spl, load_config(spl))
  pictures = [split[i]["image"] for i in range(PICTURES)]
  holes = masks.irregular(
    jax.random.key(0), (PICTURES, *pictures[0].shape[:2]), ratio=(0.1, 0.3)
  )
  levels = np.asarray(holes[..., 0] * 255).astype(np.uint8)
  for name, arrays in (("images", pictures), ("masks", levels)):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for i, array in enumerate(arrays):
      Image.fromarray(array).save(folder / name / f"{i}.png")


def _tell(root: pathlib.Path) -> int:
  print(f"\n{root}/pictures/filled\n{root}/metrics.json\n{root}/report.html")
  return 0


if __name__ == "__main__":
  sys.exit(run(main, sys.argv[1:]))
