"""The part of `evaluate` that --watch asks for: see there.

Nothing is kept in memory that matters: what was evaluated is what has a
metrics.json made in the same way, so a watch that was ended goes on where it
was. The training may write, replace, set aside and remove checkpoints at any
time. One that cannot be read is tried again when its files have changed.
"""

import argparse
import dataclasses
import json
import logging
import pathlib
import time
from typing import Any

import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints, workdirs
from sginpaint.cli.evaluate import open_split
from sginpaint.errors import UserError
from sginpaint.evaluation.evaluator import evaluate
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.files import write_json

_log = logging.getLogger(__name__)

POLL = 5.0  # seconds between two looks
CURVE = "curve.json"


def run(config: ConfigDict, options: argparse.Namespace) -> int:
  """Evaluates checkpoints until the training's last, or idleness.

  Args:
    config: of the evaluation.
    options: flags of `evaluate`.

  Returns:
    0.

  Raises:
    UserError: there are several processes, or nothing ever came.
  """
  if jax.process_count() > 1:
    raise UserError("--watch: runs in one process; leave out the launcher")
  watch = Watch(config, options)
  waited = time.monotonic()
  while True:
    if watch.look():
      waited = time.monotonic()
      continue  # evaluating took its time: look again at once
    if watch.finished:
      print(f"the training's last step is evaluated; {watch.curve}")
      return 0
    if time.monotonic() - waited > options.idle:
      print(f"no new checkpoint for {options.idle:g} s; {watch.curve}")
      return 0
    time.sleep(min(POLL, options.idle))


class Watch:
  """Evaluates what is there and has not been evaluated.

  Attributes:
    curve: file with the scores of all steps.
    finished: whether the step that the training is to reach was evaluated.
  """

  def __init__(self, config: ConfigDict, options: argparse.Namespace):
    """Looks at nothing yet; `config` and `options` as `run` takes them."""
    self._config, self._workdir = config, options.workdir
    self._weights = options.weights
    self._split = open_split(config, options.split)
    folder = options.output or pathlib.Path(self._workdir) / "eval"
    self._root = pathlib.Path(folder)
    self._unread: dict[int, Any] = {}
    self._evaluated = 0
    # What two scores must have in common to be on one curve.
    self._made = {
      "masks": config.eval.masks,
      "split": self._split.name,
      "weights": options.weights,
    }
    self.curve = self._root / CURVE

  @property
  def finished(self) -> bool:
    """Read anew each time, for a training may be made longer."""
    last = workdirs.load_config(self._workdir).steps
    return self._metrics(last) is not None

  def look(self) -> bool:
    """Evaluates the oldest step that has not been; False where none is left."""
    for step in sorted(workdirs.steps(self._workdir)):
      if self._metrics(step) is not None:
        continue
      files = _files(self._workdir, step)
      if self._unread.get(step) == files:
        continue
      if self._evaluate(step):
        self._draw()
        return True
      self._unread[step] = files
    return False

  def _evaluate(self, step: int) -> bool:
    """Whether the step was sound."""
    try:
      loaded = checkpoints.load(self._workdir, step=step, weights=self._weights)
    except UserError as e:
      _log.warning("step %d is left out: %s", step, e)
      return False
    loaded = dataclasses.replace(loaded, config=self._config)
    try:
      metrics = evaluate(
        loaded,
        self._split,
        output_dir=self._root / str(step),
        weights=self._weights,
      )
    except UserError as e:
      if not self._evaluated:  # what is wrong with all should be mended
        raise
      _log.warning("step %d is left out: %s", step, e)
      return False
    self._evaluated += 1
    scores = metrics["metrics"]["all"]
    told = ", ".join(f"{n} {v:.4g}" for n, v in scores.items() if n != "count")
    print(f"step {step}: {told}", flush=True)
    return True

  def _metrics(self, step: int) -> dict[str, Any] | None:
    """What was found of a step in this way of evaluating, if it was."""
    path = self._root / str(step) / "metrics.json"
    if not path.is_file():
      return None
    metrics = json.loads(path.read_text())
    made = metrics | metrics["provenance"]
    same = all(made[name] == value for name, value in self._made.items())
    # Systems that make no pictures have a protocol of their own.
    if made["protocol"] in PROTOCOLS:
      same &= made["protocol"] == self._config.eval.protocol
    return metrics if same else None

  def _draw(self) -> None:
    """Writes the curve: a point for each step, oldest first."""
    steps = sorted(int(d.name) for d in self._root.glob("[0-9]*"))
    found = [(step, self._metrics(step)) for step in steps]
    points = [
      {"step": step, **metrics["metrics"]["all"]}
      for step, metrics in found
      if metrics is not None
    ]
    write_json(self.curve, {**self._made, "points": points})


def _files(workdir: str, step: int) -> list[tuple[str, int, int]]:
  """What tells whether a checkpoint was written on since it was read."""
  found = []
  for path in sorted(workdirs.checkpoint_path(workdir, step).rglob("*")):
    try:
      state = path.stat()
    except FileNotFoundError:  # being removed
      continue
    found.append((str(path), state.st_size, state.st_mtime_ns))
  return found
