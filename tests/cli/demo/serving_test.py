"""The command itself: flags, its socket, and Ctrl-C."""

import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from sginpaint.cli.__main__ import main
from sginpaint.cli.demo import serving

_SERVE = """
import sys
from sginpaint.cli import __main__
from sginpaint.cli.demo import server, serving
from tests.cli.demo import fake

def serve(argv):
  app = server.create_app(fake.FakeEditor(), name="fake", host="127.0.0.1")
  with serving.listen("127.0.0.1", 0) as listening:
    url = serving.address_of(listening, "127.0.0.1")
    serving.serve(app, listening, url)
  return 0

sys.exit(__main__.run(serve, []))
"""


@pytest.fixture(name="workdir")
def _workdir(tmp_path):
  (tmp_path / "config.json").write_text("{}")
  return tmp_path


@pytest.mark.parametrize(
  ("flags", "words"),
  [
    (["--port=70000"], "--port=70000: give a number in 0..65535"),
    (["--port=x"], "--port"),
    (["--host=no such name"], "--host=no such name: no such address"),
    (["--host=203.0.113.7"], "--host=203.0.113.7: cannot be bound"),
    (["--wide"], "--wide"),
  ],
)
def test_bad_flags_are_one_line(flags, words, workdir, capsys):
  assert main(["demo", f"--checkpoint={workdir}", *flags]) == 2
  captured = capsys.readouterr()
  assert words in captured.err
  assert captured.err.count("\n") == 1


def test_missing_checkpoint(tmp_path, capsys):
  assert main(["demo", f"--checkpoint={tmp_path}/none"]) == 2
  assert "no such folder" in capsys.readouterr().err


def test_port_in_use_is_told_before_loading(workdir, capsys):
  with serving.listen("127.0.0.1", 0) as other:
    port = other.getsockname()[1]
    assert main(["demo", f"--checkpoint={workdir}", f"--port={port}"]) == 2
  assert f"--port={port}: in use; choose another" in capsys.readouterr().err


def test_addresses():
  with serving.listen("localhost", 0) as listening:
    port = listening.getsockname()[1]
    assert port > 0
    want = f"http://localhost:{port}/"
    assert serving.address_of(listening, "localhost") == want
    assert serving.address_of(listening, "::1") == f"http://[::1]:{port}/"
    told = serving.announcement(listening, "localhost")
    assert told == f"{want} serves until Ctrl-C"
    everywhere = serving.announcement(listening, "0.0.0.0")
    assert everywhere.startswith(f"http://127.0.0.1:{port}/ serves until")
    assert everywhere.endswith(f"{socket.gethostname()}, port {port}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly(number):
  root = pathlib.Path(__file__).parents[3]
  with subprocess.Popen(
    [sys.executable, "-c", _SERVE],
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    cwd=root,
    text=True,
  ) as process:
    url = process.stdout.readline().strip()
    with urllib.request.urlopen(url) as response:
      assert b"<title>sginpaint</title>" in response.read()
    # A connection that stays open must not hold it up.
    port = int(url.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection(("127.0.0.1", port)):
      process.send_signal(number)
      assert process.wait(20) == 0
    assert process.stderr.read() == ""
