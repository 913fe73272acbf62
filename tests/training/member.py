"""One of several processes, which runs commands and writes down what it is fed.

  python -m tests.training.member RECORD COMMANDS

COMMANDS is JSON, a list of what follows `python -m sginpaint`. The global order
of the examples of the first one goes to RECORD/<process>.json, as a list of
[step, position in the batch, example]; it saves steps 1 and last. Stores of
features have shards of four pictures.
"""

import json
import pathlib
import sys

import jax
import numpy as np

from sginpaint import checkpoints
from sginpaint.cli.__main__ import main as run
from sginpaint.data import feature_writer
from sginpaint.training import sharding


def main(argv: list[str]) -> int:
  folder, text = argv
  first, *others = json.loads(text)
  feature_writer._MIN_RECORDS = 4
  code = recorded(pathlib.Path(folder), first)
  for words in others:
    code = code or run(words)
  return code


def recorded(folder: pathlib.Path, words: list[str]) -> int:
  seen: list[list[int]] = []
  put, due = sharding.put_batch, checkpoints.Writer.due
  steps = 0

  def put_batch(batch, mesh):
    nonlocal steps
    steps += 1
    placed = put(batch, mesh)
    for shard in placed.index.addressable_shards:
      first = shard.index[0].start or 0
      for i, example in enumerate(np.asarray(shard.data).tolist()):
        seen.append([steps, first + i, example])
    return placed

  sharding.put_batch = put_batch
  checkpoints.Writer.due = lambda self, step: step == 1 or due(self, step)
  try:
    code = run(words)
  finally:
    sharding.put_batch, checkpoints.Writer.due = put, due
  path = folder / f"record_{jax.process_index()}.json"
  path.write_text(json.dumps(seen))
  return code


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
