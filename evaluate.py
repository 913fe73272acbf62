"""Scores a checkpoint and writes a report; see README.md.

python evaluate.py --workdir=runs/spl
"""

import sys

from sginpaint.cli.__main__ import run
from sginpaint.cli.evaluate import main

if __name__ == "__main__":
  sys.exit(run(main, sys.argv[1:]))
