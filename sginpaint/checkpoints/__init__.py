"""Checkpoints of a workdir: written, verified, loaded; all Orbax calls.

A checkpoint holds a plain nested dict, so it depends on no class of ours, and
in its metadata a checksum of every array: Orbax has none, and a flipped bit
would be read back silently. Only training renames (an unsound step becomes
`<step>.corrupt`); every reader steps over what is unsound.

`Writer` and `restore` are called by all processes of a training at once, the
other functions by any of them on its own.
"""

from sginpaint.checkpoints.loading import (
  BEST,
  Loaded,
  best_steps,
  guiding_step,
  load,
  read_checksums,
  read_scores,
  restore,
)
from sginpaint.checkpoints.saving import (
  Writer,
  save_generator,
  slim,
  wait_for_all,
)
from sginpaint.checksums import checksums, hash_variables

__all__ = [
  "BEST",
  "Loaded",
  "Writer",
  "best_steps",
  "guiding_step",
  "checksums",
  "hash_variables",
  "load",
  "read_checksums",
  "read_scores",
  "restore",
  "save_generator",
  "slim",
  "wait_for_all",
]
