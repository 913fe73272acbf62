"""`python -m sginpaint <command>`."""

import sys

from sginpaint.cli.__main__ import main

if __name__ == "__main__":
  sys.exit(main())
