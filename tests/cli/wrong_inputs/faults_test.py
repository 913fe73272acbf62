"""What strikes while a command writes or reads: a full disk, Ctrl-C."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading

import numpy as np
import pytest

from sginpaint.cli import disk
from sginpaint.cli.__main__ import main
from sginpaint.data.folder import FolderExamples
from sginpaint.training import precompute_teacher, setup
from tests.cli.wrong_inputs.files import REPOSITORY, SIDE, snapshot, words_of
from tests.cli.wrong_inputs.rows import EVALUATE, INPAINT, PRECOMPUTE, TRAIN

_FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.part")
_WRITERS = {
  "train": f"{TRAIN} --workdir=full/run",
  "inpaint": f"{INPAINT} --mask=none.png --output=full/b.png",
  "check-data": "check-data data --json=found.json",
  "prepare": "prepare folder --manual-dir=data --data-dir=full --workers=1",
}


def _files(folder):
  """All but folders, and locks, of which it does not matter who left them."""
  found = snapshot(folder).items()
  return {p: s for p, s in found if p.is_file() and p.name != ".lock"}


@pytest.mark.parametrize("name", _WRITERS)
def test_full_disk(name, folder, monkeypatch, capsys):
  def fsync(file):
    raise _FULL

  before = _files(folder)
  monkeypatch.setattr(os, "fsync", fsync)
  assert main(words_of(_WRITERS[name])) == 2
  error = capsys.readouterr().err
  assert error.count("\n") == 1 and "No space left on device" in error, error
  assert _files(folder) == before


@pytest.mark.parametrize("name", _WRITERS)
def test_ctrl_c_while_writing(name, folder, monkeypatch, capsys):
  before = _files(folder)
  monkeypatch.setattr(os, "fsync", lambda _: signal.raise_signal(signal.SIGINT))
  assert main(words_of(_WRITERS[name])) == 130
  assert capsys.readouterr().err == "sginpaint: interrupted\n"
  assert _files(folder) == before


def _teacher(monkeypatch):
  """A teacher of which nothing has to be trained."""
  views = lambda config: _Views()
  monkeypatch.setattr(precompute_teacher, "TeacherViews", views)
  monkeypatch.setattr(setup, "check_teacher", lambda config: None)


class _Views:
  batch_size, input_size, shape, hash = 2, SIDE, (2, 2, 3), "none"

  def __call__(self, image):
    return np.zeros((len(image), 2, *self.shape), np.float32)


@pytest.mark.parametrize(
  "line",
  [
    f"{EVALUATE} --output=read --config.eval.panels=0",
    f"{PRECOMPUTE} --config.teacher.features=read",
  ],
)
def test_ctrl_c_while_reading(line, folder, monkeypatch, capsys):
  pressed = threading.Lock()
  whole = FolderExamples._read

  def read(*arguments):
    # Once: a second reader's would come when all this is over.
    if pressed.acquire(blocking=False):
      signal.raise_signal(signal.SIGINT)
    return whole(*arguments)

  _teacher(monkeypatch)
  monkeypatch.setattr(FolderExamples, "_read", read)
  assert main(words_of(line)) == 130
  assert capsys.readouterr().err.endswith("sginpaint: interrupted\n")
  left = {p.name for p in (folder / "read").rglob("*") if p.is_file()}
  assert not left & {"metrics.json", "metadata.json"}
  assert not any(name.endswith((".part", ".partial")) for name in left)


def test_ctrl_c_while_the_config_is_read(folder, capsys):
  text = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
  (folder / "interrupted.py").write_text(text)
  assert main(["train", "--config=interrupted.py", "--workdir=run"]) == 130
  assert capsys.readouterr().err == "sginpaint: interrupted\n"


_STRUCK = """
import os, signal, sys, threading
from sginpaint.cli.__main__ import main
strike = threading.Timer({delay}, os.kill, [os.getpid(), signal.SIGINT])
strike.daemon = True
strike.start()
sys.exit(main(["evaluate", "--workdir=untrained", "--watch"]))
"""


@pytest.mark.parametrize("delay", [0.2, 1.0])  # seconds: JAX is being imported
def test_ctrl_c_of_a_program_that_starts(delay, folder):
  done = subprocess.run(
    [sys.executable, "-c", _STRUCK.format(delay=delay)],
    env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 130
  # On a quick machine the data set is being prepared by then, with progress.
  assert done.stderr.endswith("sginpaint: interrupted\n")
  assert "Traceback" not in done.stderr


def test_read_only_disk(folder, monkeypatch, capsys):
  def refuse(dir):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), dir)

  before = snapshot(folder)
  monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
  assert main(words_of(f"{TRAIN} --workdir=new/run")) == 2
  words = "(Read-only file system); choose another folder"
  assert words in capsys.readouterr().err
  assert snapshot(folder) == before


def test_refusal_of_the_disk_is_found_behind_other_errors():
  try:
    try:
      raise ValueError("Failed to write: No space left on device [28]")
    except ValueError as e:
      raise RuntimeError("saving failed") from e
  except RuntimeError as e:
    assert "make room" in disk.refusal(e)
  name = OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300)
  assert disk.refusal(name).endswith("choose a shorter name")
  assert disk.refusal(FileNotFoundError(errno.ENOENT, "gone", "x")) == ""
  assert disk.refusal(ZeroDivisionError()) == ""
