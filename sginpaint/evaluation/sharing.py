"""How an evaluation is shared out, and what is kept of it on the way.

Pictures are measured in units of `config.eval.batch_size`, in order. A device
is given one unit at a time, whatever the number of devices and processes: the
same program sees the same pictures, and every number is the same, bit for bit.
(On CPUs where XLA has as many threads, see launch/README.md.)

A unit leaves a record. Each process makes the records of its units, leaves out
those that are there already, and waits for the others; then the first process
adds all records up in order. So an evaluation that was interrupted goes on, on
as many processes as there are then.
"""

import contextlib
import dataclasses
import itertools
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import tqdm
from flax import serialization

from sginpaint.checkpoints import wait_for_all
from sginpaint.errors import UserError
from sginpaint.files import write_atomically

_FOLDER = "partial"
# Seconds that another machine's file may need to be seen on this one.
_PATIENCE = 60.0
_POLL = 0.2
_meetings = itertools.count()


@dataclasses.dataclass(frozen=True)
class Team:
  """The processes that share an evaluation.

  Attributes:
    index: of this process.
    count: of all.
  """

  index: int = 0
  count: int = 1

  @property
  def first(self) -> bool:
    """Whether this process adds up and writes."""
    return self.index == 0

  def share(self, units: int) -> list[int]:
    """Units of this process: as many at a time as it has devices, in turn."""
    devices = jax.device_count() // jax.process_count()
    return [u for u in range(units) if u // devices % self.count == self.index]

  def meet(self) -> None:
    """Waits for the others."""
    if self.count > 1:
      wait_for_all(f"evaluation {next(_meetings)}")


ALONE = Team()


def everybody() -> Team:
  """All processes of a cluster; each must then do the same evaluations."""
  return Team(jax.process_index(), jax.process_count())


class Records:
  """The records of all units of an evaluation, in memory or in a folder."""

  def __init__(self, count: int, folder: pathlib.Path | None = None):
    """Writes nothing.

    Args:
      count: of units.
      folder: see `records_folder`; None = in memory.
    """
    self.count = count
    self._folder = folder
    self._kept: dict[int, dict[str, Any]] = {}

  def missing(self, units: Sequence[int]) -> list[int]:
    """Those of `units` that have no record."""
    if self._folder is None:
      return [unit for unit in units if unit not in self._kept]
    return [unit for unit in units if not self._path(unit).is_file()]

  def write(self, unit: int, record: Mapping[str, Any]) -> None:
    """Keeps a record: dicts, lists, numpy arrays, numbers and strings."""
    if self._folder is None:
      self._kept[unit] = dict(record)
      return
    # In place: a copy would sort the methods by name.
    data = serialization.msgpack_serialize(dict(record), in_place=True)
    write_atomically(self._path(unit), data)

  def read(self) -> Iterator[dict[str, Any]]:
    """Yields the records of all units, in order.

    Raises:
      UserError: what another process wrote does not arrive here.
    """
    for unit in range(self.count):
      if self._folder is None:
        yield self._kept[unit]
      else:
        await_file(self._path(unit))
        yield serialization.msgpack_restore(self._path(unit).read_bytes())

  def _path(self, unit: int) -> pathlib.Path:
    assert self._folder is not None
    return self._folder / f"{unit:06d}.msgpack"


# (record of the next unit, number of its pictures) -> None
Keep = Callable[[Mapping[str, Any], int], None]


@contextlib.contextmanager
def share_of(
  team: Team,
  records: Records,
  indices: Sequence[int],
  unit: int,
  *,
  progress: bool,
) -> Iterator[tuple[list[int], Keep]]:
  """What is left to do for this process; then waits for the others.

  Args:
    team: who shares the work.
    records: of all units.
    indices: of all pictures, in order.
    unit: pictures of a unit.
    progress: show a bar, on a terminal.

  Yields:
    Pictures of the units that have no record, and what writes one for the next
    of these units.
  """
  cut = parts_of(len(indices), unit)
  share = team.share(len(cut))
  missing = records.missing(share)
  wanted = [i for u in missing for i in indices[cut[u]]]
  total = sum(cut[u].stop - cut[u].start for u in share)
  left = iter(missing)
  with tqdm.tqdm(
    total=total,
    initial=total - len(wanted),
    desc="evaluate",
    unit="picture",
    disable=None if progress and team.first else True,
  ) as bar:

    def keep(record: Mapping[str, Any], count: int) -> None:
      records.write(next(left), record)
      bar.update(count)

    yield wanted, keep
  team.meet()


def await_file(path: pathlib.Path) -> None:
  """Waits until a file is seen that another process has written.

  Raises:
    UserError: it is not seen in a minute.
  """
  deadline = time.monotonic() + _PATIENCE
  while not path.is_file():
    if time.monotonic() > deadline:
      raise UserError(
        f"{path.parent}: lacks {path.name}, which another process has written; "
        "give a folder that all processes share"
      )
    time.sleep(_POLL)


def records_folder(output_dir: str | pathlib.Path, key: str) -> pathlib.Path:
  """Where the records of an evaluation lie until it is complete.

  Args:
    output_dir: of the evaluation.
    key: names all that the numbers depend on, so that another evaluation never
      adds them.
  """
  return pathlib.Path(output_dir) / _FOLDER / key


def delete_records(output_dir: str | pathlib.Path) -> None:
  """What was kept under a folder: its evaluation is complete and written."""
  shutil.rmtree(pathlib.Path(output_dir) / _FOLDER, ignore_errors=True)


def parts_of(total: int, size: int) -> list[slice]:
  """Slices of `size` that cover `total`; the last may be shorter."""
  return [
    slice(begin, min(begin + size, total)) for begin in range(0, total, size)
  ]
