"""Trains a system; see configs/ and README.md.

python train.py --config=configs/spl.py:quick --workdir=runs/spl
"""

import sys

from sginpaint.cli.__main__ import run
from sginpaint.cli.train import main

if __name__ == "__main__":
  sys.exit(run(main, sys.argv[1:]))
