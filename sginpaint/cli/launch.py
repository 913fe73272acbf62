"""Runs a command as several processes on this machine, which work together.

python -m sginpaint launch --processes=2 --devices=4 -- \\
  train --config=configs/spl.py:quick --workdir=runs/spl

For trying out on one machine what runs on many: launch/ has recipes for these.
The first process speaks; what the others print is shown when one fails. If one
ends otherwise than well, all are ended. Ctrl-C and SIGTERM go to all: a
training saves and stops after the same step everywhere.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any

from sginpaint.cli.parser import Parser
from sginpaint.errors import UserError

_GRACE = 10.0  # seconds that processes have to say why they end
_SHOWN = 20  # lines of what a failed one printed
_POLL = 0.1
_BAD_INPUT = 2  # exit code


def main(argv: list[str]) -> int:
  """Runs `launch --processes=N [--devices=M] -- COMMAND [flags]`.

  Returns:
    0, 130 after Ctrl-C, or the exit code of the process that failed first (1
    where it was killed).

  Raises:
    UserError: a flag needs mending.
  """
  flags, command = _split(argv)
  parser = Parser("launch", __doc__)
  parser.add_argument(
    "--processes", type=int, required=True, metavar="N", help="how many"
  )
  parser.add_argument(
    "--devices",
    type=int,
    metavar="M",
    help="virtual CPU devices of each process; default: what it finds",
  )
  options = parser.parse_args(flags)
  for name in ("processes", "devices"):
    value = getattr(options, name)
    if value is not None and value < 1:
      raise UserError(f"--{name}={value}: give at least 1")
  if not command:
    raise UserError(
      "-- COMMAND is missing, as in launch --processes=2 -- train"
    )
  with tempfile.TemporaryDirectory() as folder:
    members = _start(
      command, options.processes, options.devices, pathlib.Path(folder)
    )
    with _forwarded(members) as received:
      return _watch(members, received)


@dataclasses.dataclass(frozen=True)
class _Member:
  """One of the processes, and the file of what it prints (not the first)."""

  index: int
  process: subprocess.Popen
  printed: pathlib.Path | None


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
  words = list(argv)
  if "--" not in words:
    return words, []
  at = words.index("--")
  return words[:at], words[at + 1 :]


def _start(
  command: Sequence[str],
  count: int,
  devices: int | None,
  folder: pathlib.Path,
) -> list[_Member]:
  address = f"127.0.0.1:{free_port()}"
  members = []
  for index in range(count):
    printed = folder / f"{index}.txt" if index else None
    env = environment(address, index, count, devices=devices)
    with contextlib.ExitStack() as stack:
      streams: dict[str, Any] = {}
      if printed is not None:
        file = stack.enter_context(printed.open("wb"))
        streams = {"stdout": file, "stderr": subprocess.STDOUT}
      process = subprocess.Popen(
        [sys.executable, "-m", "sginpaint", *command],
        env=env,
        # Signals come from here alone: a terminal would send Ctrl-C twice.
        start_new_session=True,
        **streams,
      )
    members.append(_Member(index, process, printed))
  return members


def environment(
  address: str, index: int, count: int, *, devices: int | None = None
) -> dict[str, str]:
  """The environment of one process, as cli/devices.py reads it.

  Args:
    address: where the first process listens.
    index: of this one.
    count: of all.
    devices: virtual CPU devices; None = the real ones.
  """
  env = os.environ | {
    "JAX_COORDINATOR_ADDRESS": address,
    "SGINPAINT_PROCESS_COUNT": str(count),
    "SGINPAINT_PROCESS_ID": str(index),
  }
  if devices is not None:
    virtual = f"--xla_force_host_platform_device_count={devices}"
    env["XLA_FLAGS"] = f"{env.get('XLA_FLAGS', '')} {virtual}".strip()
    env["JAX_PLATFORMS"] = "cpu"
  return env


def free_port() -> int:
  """A port of this machine that nobody listens at."""
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    return probe.getsockname()[1]


@contextlib.contextmanager
def _forwarded(members: Sequence[_Member]) -> Iterator[list[int]]:
  """Hands signals on to all processes; yields those received so far."""
  received: list[int] = []

  def forward(number: int, frame: Any) -> None:
    del frame
    received.append(number)
    for member in members:
      if member.process.poll() is None:
        member.process.send_signal(number)

  numbers = (signal.SIGINT, signal.SIGTERM)
  old = {number: signal.signal(number, forward) for number in numbers}
  try:
    yield received
  finally:
    for number, handler in old.items():
      signal.signal(number, handler)


def _watch(members: Sequence[_Member], received: list[int]) -> int:
  """Waits for all; the first that fails ends the others."""
  while True:
    codes = [member.process.poll() for member in members]
    failed = [
      m for m, code in zip(members, codes, strict=True) if code not in (None, 0)
    ]
    if failed:
      break
    if all(code == 0 for code in codes):
      return 0
    time.sleep(_POLL)
  killed = _end(members)
  if received and received[0] == signal.SIGINT:
    return 130
  # One that is killed takes its connections along, so another may be seen to
  # fail before it.
  return _tell(next(iter(killed), failed[0]), members)


def _end(members: Sequence[_Member]) -> list[_Member]:
  """Ends what is left; those that were killed, but not by this.

  What is left gets some time first: it may be telling why it fails as well. One
  that aborts is not counted: JAX does so where another one is gone.
  """
  deadline = time.monotonic() + _GRACE
  stuck = []
  for member in members:
    try:
      member.process.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
      member.process.kill()
      member.process.wait()
      stuck.append(member)
  return [
    m
    for m in members
    if m.process.returncode < 0
    and m.process.returncode != -signal.SIGABRT
    and m not in stuck
  ]


def _tell(first: _Member, members: Sequence[_Member]) -> int:
  """Says on stderr who failed; the exit code."""
  code = first.process.returncode
  # The process that speaks may have met the same bad input, a moment later.
  told = members[0].process.returncode == code == _BAD_INPUT
  if code > 0 and first.printed is not None and not told:
    lines = first.printed.read_text(errors="replace").splitlines()[-_SHOWN:]
    print("\n".join(lines), file=sys.stderr)
  if code == _BAD_INPUT:  # one line tells it, and has been printed
    return code
  how = f"exit code {code}"
  if code < 0:
    how = f"killed by {signal.Signals(-code).name}"
  print(
    f"sginpaint: error: process {first.index} of {len(members)} failed ({how}) "
    "and the others were ended; the same command resumes a training from its "
    "last save",
    file=sys.stderr,
  )
  return code if code > 0 else 1
