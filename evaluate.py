"""Evaluates a checkpoint: `python evaluate.py --workdir=DIR`; see `--help`."""

import sys

from sginpaint.cli.__main__ import run
from sginpaint.cli.evaluate import main

if __name__ == "__main__":
  sys.exit(run(main, sys.argv[1:]))
