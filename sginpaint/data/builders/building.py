"""Builds a prepared data set: parallel, resumable, verified.

The directory that comes out is one that tfds opens (`data/prepared.py` reads
it): ArrayRecord shards, features.json, metadata.json with the attributes' names
and how many records of each split have labels, classes.csv, and, written last,
dataset_info.json, without which a directory is not taken for a data set. In a
split the labelled pictures come first, each kind in order of the ids, so the
same archives always make the same bytes. Shards are built by processes that
know nothing of each other; a run that was killed is taken up where it stopped.
"""

import contextlib
import dataclasses
import fcntl
import json
import logging
import pathlib
import shutil
from collections.abc import Iterator, Mapping, Sequence

import tqdm

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.builders.data_set import DataSet, Item, Plan
from sginpaint.data.builders.describing import INFO, VERSION, describe
from sginpaint.data.builders.processes import Run, processes, usable_cores
from sginpaint.data.builders.shards import (
  Shard,
  ShardReport,
  finished,
  split_into_shards,
  verify_shard,
  write_shard,
)
from sginpaint.errors import UserError
from sginpaint.files import digest, write_atomically

_LOG = logging.getLogger(__name__)
_NAMED = 50  # left-out pictures that the log names, at most
_FEW = 10  # this many may be left out of any data set, else 1 %


@dataclasses.dataclass(frozen=True)
class Built:
  """What `build` made.

  Attributes:
    directory: of the data set.
    counts: pictures by split.
    left_out: (id, reason) of pictures that are not in it.
    existed: it was there already.
  """

  directory: pathlib.Path
  counts: dict[str, int]
  left_out: tuple[tuple[str, str], ...] = ()
  existed: bool = False


def build(
  data_set: DataSet,
  manual_dir: str,
  data_dir: str = "data",
  *,
  workers: int | None = None,
  size: int | None = None,
) -> Built:
  """Builds DATA_DIR/<name>, or goes on where an earlier run stopped.

  Args:
    data_set: out of `catalogue`.
    manual_dir: folder with the archives as their owners publish them.
    data_dir: where data sets are kept; made if missing.
    workers: processes; None = one per core. One works in this process.
    size: the shorter side of pictures is brought down to it, 0 = never; None
      = as is usual for the data set.

  Raises:
    UserError: something is missing or damaged, or the archives are not those
      that an unfinished build in there was begun with.
  """
  directory = pathlib.Path(data_dir).expanduser() / data_set.name
  scratch = directory / "building"
  if (directory / INFO).is_file():
    return _existing(directory)
  manual = ManualDir(manual_dir, scratch, data_set.how_to_get())
  # Before anything is written: this finds what is missing.
  plan = data_set.plan(manual)
  ordered = _ordered(data_set, manual, plan.items)
  plan = dataclasses.replace(plan, items=ordered)
  size = data_set.size if size is None else size
  with _locked(directory):
    if (directory / INFO).is_file():  # another process was quicker
      return _existing(directory)
    _remember(scratch, data_set, plan, size)
    shards = _shards(directory, data_set.name, plan, size)
    workers = workers or usable_cores()
    with processes(min(workers, sum(map(len, shards.values())))) as run:
      reports = _write(shards, run)
      left_out = _check_left_out(directory, plan, reports)
      _verify(shards, reports, run)
    counts = describe(directory, data_set, plan, reports)
    shutil.rmtree(scratch, ignore_errors=True)
  _warn_of_counts(directory, counts, plan.counts or data_set.counts)
  return Built(directory, counts, left_out)


def _warn_of_counts(
  directory: pathlib.Path,
  found: Mapping[str, int],
  published: Mapping[str, int],
) -> None:
  for split, expected in published.items():
    if (count := found.get(split, 0)) != expected:
      _LOG.warning(
        "%s: %d pictures in %s, published are %d",
        *(directory, count, split, expected),
      )


def _existing(directory: pathlib.Path) -> Built:
  # A run that was killed at the very end left it.
  shutil.rmtree(directory / "building", ignore_errors=True)
  info = json.loads((directory / INFO).read_text())
  counts = {
    split["name"]: sum(map(int, split["shardLengths"]))
    for split in info["splits"]
  }
  return Built(directory, counts, existed=True)


@contextlib.contextmanager
def _locked(directory: pathlib.Path) -> Iterator[None]:
  try:
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / ".lock").open("w")
  except OSError as e:
    raise UserError(f"{directory}: cannot be written ({e.strerror})") from e
  with lock:
    try:
      fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
      raise UserError(f"{directory}: another process builds there") from e
    # What processes of a killed run were writing.
    for draft in directory.glob("*.part"):
      draft.unlink(missing_ok=True)
    try:
      yield
    except OSError as e:  # what cannot be read is left out
      raise UserError(
        f"{directory}: {e.strerror or e}; see to the rights and the room on "
        "the disk, then run the same command again"
      ) from e


def _ordered(
  data_set: DataSet, manual: ManualDir, items: Sequence[Item]
) -> list[Item]:
  ordered = sorted(items, key=lambda i: (i.split, not i.labels, i.id))
  if not ordered:
    raise manual.missing(f"no picture of {data_set.title}")
  seen: set[tuple[str, str]] = set()
  for item in ordered:
    if (item.split, item.id) in seen:
      raise UserError(
        f"{item.image}: a second picture {item.id!r}; leave one of them"
      )
    seen.add((item.split, item.id))
    try:
      str(item.image).encode()
    except UnicodeEncodeError as e:
      raise UserError(
        f"{str(item.image)!r}: a name that is not UTF-8; rename the file"
      ) from e
  return ordered


def _remember(
  scratch: pathlib.Path, data_set: DataSet, plan: Plan, size: int
) -> None:
  """Binds the build to what it is made of."""

  def about_item(item: Item) -> str:
    sizes = [member.stored for member in (item.image, *item.labels)]
    return repr((item.id, item.split, sizes, item.attributes))

  # Hashes of hashes: there may be millions.
  parts = (digest(about_item(item)) for item in plan.items)
  about = repr((VERSION, size, plan.classes, plan.attributes))
  mark = digest(about, *parts)
  file = scratch / "made_of"
  if file.is_file() and file.read_text() != mark:
    raise UserError(
      f"{scratch.parent}: an unfinished build of other archives or another "
      "--size is in there; delete it, or give those"
    )
  write_atomically(file, mark)


def _shards(
  directory: pathlib.Path, name: str, plan: Plan, size: int
) -> dict[str, list[Shard]]:
  """Shards by split."""
  found: dict[str, list[Shard]] = {}
  for split in dict.fromkeys(item.split for item in plan.items):
    items = [item for item in plan.items if item.split == split]
    ranges = split_into_shards(len(items))
    found[split] = []
    for i, positions in enumerate(ranges):
      file = f"{name}-{split}.array_record-{i:05d}-of-{len(ranges):05d}"
      part = items[positions.start : positions.stop]
      found[split].append(
        Shard(
          directory / file,
          directory / "building" / f"{file}.json",
          dataclasses.replace(plan, items=part),
          size,
        )
      )
  return found


def _write(
  shards: dict[str, list[Shard]], run: Run
) -> dict[str, list[ShardReport]]:
  """Writes those that are not there; reports of all."""
  everything = [shard for group in shards.values() for shard in group]
  reports = {s.file: report for s in everything if (report := finished(s))}
  missing = [shard for shard in everything if shard.file not in reports]
  with _progress("building", everything) as progress:
    done = {shard.file for shard in missing}
    progress.update(
      sum(len(s.plan.items) for s in everything if s.file not in done)
    )
    for i, report in run(write_shard, [(shard,) for shard in missing]):
      reports[missing[i].file] = report
      progress.update(len(missing[i].plan.items))
  return {
    split: [reports[shard.file] for shard in group]
    for split, group in shards.items()
  }


def _progress(what: str, shards: Sequence[Shard]) -> tqdm.tqdm:
  total = sum(len(shard.plan.items) for shard in shards)
  # Without a terminal nothing is shown.
  return tqdm.tqdm(total=total, desc=what, unit="picture", disable=None)


def _check_left_out(
  directory: pathlib.Path, plan: Plan, reports: dict[str, list[ShardReport]]
) -> tuple[tuple[str, str], ...]:
  bad = [
    pair for group in reports.values() for r in group for pair in r.left_out
  ]
  if bad:
    _LOG.warning("%s: %d pictures are left out", directory, len(bad))
    lines = "".join(f"{name}\t{reason}\n" for name, reason in bad)
    write_atomically(directory / "left_out.txt", lines)
  for name, reason in bad[:_NAMED]:
    _LOG.warning("left out: %s (%s)", name, reason)
  if len(bad) > _NAMED:
    _LOG.warning("... and %d more, in left_out.txt", len(bad) - _NAMED)
  empty = [
    s for s, group in reports.items() if not sum(r.records for r in group)
  ]
  if empty or len(bad) > max(_FEW, len(plan.items) // 100):
    where = f"all of {empty[0]}" if empty else f"{len(bad)} pictures"
    raise UserError(
      f"{directory}: {where} would be left out, the first because "
      f"{bad[0][1]}; get the archives anew, delete this directory and start "
      "again"
    )
  return tuple(bad)


def _verify(
  shards: dict[str, list[Shard]],
  reports: dict[str, list[ShardReport]],
  run: Run,
) -> None:
  everything = [shard for group in shards.values() for shard in group]
  known = [report for group in reports.values() for report in group]
  with _progress("verifying", everything) as progress:
    jobs = list(zip(everything, known, strict=True))
    for i, defect in run(verify_shard, jobs):
      if defect:
        everything[i].report.unlink()
        raise UserError(
          f"{everything[i].file}: {defect}; run the same command again, which "
          "makes this file anew"
        )
      progress.update(len(everything[i].plan.items))
