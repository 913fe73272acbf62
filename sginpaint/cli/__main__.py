"""`python -m sginpaint <command> ...`: the one place where errors become text.

A command is a module of this folder with `main(argv) -> int`, imported only
when it is called; `check-data` is check_data.py.
"""

import difflib
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence

import sginpaint
from sginpaint.cli import disk
from sginpaint.cli.interrupts import Interrupts
from sginpaint.errors import UserError

COMMANDS = {
  "train": "train what a config describes, or resume it",
  "launch": "run a command as several processes on this machine",
  "evaluate": "score a trained system and write a report",
  "compare": "set checkpoints, baselines and folders of pictures side by side",
  "ladder": "train several configs under several seeds, into one table",
  "inpaint": "fill the holes of pictures with a trained system",
  "demo": "edit pictures in the browser with a trained system",
  "convert": "make a workdir of weights published for PyTorch",
  "export": "make a folder that fills pictures with JAX and NumPy alone",
  "segment": "write label maps of pictures with a trained system",
  "prepare": "build a data set of the papers from its archives",
  "check-data": "look for what is wrong with a data set or with masks",
  "precompute": "run a frozen teacher over a data set once",
  "list": "show systems, configs, data sets, networks and protocols",
}


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command named by the first argument; returns the exit code."""
  return run(_dispatch, sys.argv[1:] if argv is None else argv)


def run(command: Callable[[list[str]], int], argv: Sequence[str]) -> int:
  """Runs `command(argv)` and turns what a person can mend into one line.

  Args:
    command: raises `UserError` for what can be mended, or what the disk
      refuses. Every other exception is a bug and keeps its traceback.
    argv: arguments behind the name of the command.

  Returns:
    The command's exit code; 2 after bad input, 130 after Ctrl-C, 141 when
    nobody reads the output any more.
  """
  # Libraries speak only when something is wrong; this one also of progress.
  logging.basicConfig(level=logging.WARNING, format="%(message)s")
  logging.getLogger("sginpaint").setLevel(logging.INFO)
  # Of a damaged checkpoint Orbax's threads tell a thousand lines more.
  logging.getLogger("asyncio").setLevel(logging.CRITICAL)
  # Of a damaged picture Pillow tells more than the line about it needs.
  warnings.filterwarnings("ignore", module=r"PIL\.")
  with Interrupts() as interrupts:
    try:
      return command(list(argv))
    except SystemExit as e:  # argparse leaves so after --help
      return e.code if isinstance(e.code, int) else int(e.code is not None)
    except UserError as e:
      print(f"sginpaint: error: {' '.join(str(e).split())}", file=sys.stderr)
      return 2
    except BrokenPipeError:  # `... | head`: whoever reads has read enough
      # The interpreter flushes once more at its end.
      os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
      return 141
    except BaseException as e:
      # After Ctrl-C a library may raise something else.
      if not (interrupts.received or isinstance(e, KeyboardInterrupt)):
        if not (told := disk.refusal(e)):
          raise
        print(f"sginpaint: error: {told}", file=sys.stderr)
        return 2
  print("sginpaint: interrupted", file=sys.stderr)
  return 130


def _dispatch(argv: list[str]) -> int:
  if not argv or argv[0] in ("-h", "--help"):
    print(_usage())
    return 0 if argv else 2
  name, *rest = argv
  if name == "--version":
    print(f"sginpaint {sginpaint.__version__}")
    return 0
  if name not in COMMANDS:
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    mend = f"did you mean {near[0]}?" if near else "see --help"
    raise UserError(f"no command {name!r}; {mend}")
  module = importlib.import_module(f"sginpaint.cli.{name.replace('-', '_')}")
  return module.main(rest)


def _usage() -> str:
  lines = ["usage: python -m sginpaint [--version] <command> [--help] ...", ""]
  width = max(map(len, COMMANDS))
  lines += [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
  return "\n".join(lines)


if __name__ == "__main__":
  sys.exit(main())
