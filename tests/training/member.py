"""One process of a training, which writes down what it is fed.

  python -m tests.training.member RECORD --workdir=DIR --config=...

The global order of examples goes to RECORD/<process>.json, as a list of
[step, position in the batch, example]; checkpoints are of steps 1 and last.
"""

import json
import pathlib
import sys

import jax
import numpy as np

from sginpaint import checkpoints
from sginpaint.cli import train
from sginpaint.cli.__main__ import run
from sginpaint.training import sharding


def main(argv: list[str]) -> int:
  folder, *words = argv
  seen: list[list[int]] = []
  put = sharding.put_batch
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
  last = checkpoints.Writer.due
  checkpoints.Writer.due = lambda self, step: step == 1 or last(self, step)
  code = run(train.main, words)
  path = pathlib.Path(folder) / f"{jax.process_index()}.json"
  path.write_text(json.dumps(seen))
  return code


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
