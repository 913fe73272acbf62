"""Files and records as they are stored, read by several threads, in order."""

import collections
import concurrent.futures
import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import tqdm

from sginpaint.data.folder_layout import Picture
from sginpaint.data.prepared import PreparedExamples, attribute_vector

Task = TypeVar("Task")
Result = TypeVar("Result")

UNLISTED_SPLIT = ""  # pictures that no split file lists
_AHEAD = 4  # tasks in flight for each thread


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
  """One example before it is decoded.

  Attributes:
    name: for people.
    image: the encoded picture.
    label: the encoded label map, or None.
    label_name: for people, where it is another name.
    attributes: float32 [A], or None where they are not read here.
  """

  name: str
  image: bytes
  label: bytes | None = None
  label_name: str = ""
  attributes: np.ndarray | None = None


class Source(Protocol):
  """Where stored examples are read, by split and position."""

  @property
  def sizes(self) -> Mapping[str, int]:
    """Examples of each split."""

  def name(self, split: str, index: int) -> str:
    """Of an example, for people."""

  def read(self, split: str, index: int) -> Stored:
    """An example; raises OSError, ValueError or RuntimeError."""


@dataclasses.dataclass(frozen=True)
class FolderSource:
  """The files of a folder.

  Attributes:
    root: the folder.
    splits: the pictures of each split; the unlisted in UNLISTED_SPLIT.
    labels: whether label maps are wanted.
  """

  root: Path
  splits: Mapping[str, Sequence[Picture]]
  labels: bool

  @property
  def sizes(self) -> Mapping[str, int]:
    """Pictures of each split."""
    return {split: len(pictures) for split, pictures in self.splits.items()}

  def name(self, split: str, index: int) -> str:
    """The path of the picture below the folder."""
    return self.splits[split][index].image

  def read(self, split: str, index: int) -> Stored:
    """The bytes of both files."""
    picture = self.splits[split][index]
    label = None
    if self.labels and picture.label:
      label = (self.root / picture.label).read_bytes()
    image = (self.root / picture.image).read_bytes()
    return Stored(picture.image, image, label, picture.label)


@dataclasses.dataclass(frozen=True)
class PreparedSource:
  """The records of a prepared data set.

  Attributes:
    splits: the examples of each.
    labels: whether label maps are wanted.
  """

  splits: Mapping[str, PreparedExamples]
  labels: bool

  @property
  def sizes(self) -> Mapping[str, int]:
    """Records of each split."""
    return {split: len(examples) for split, examples in self.splits.items()}

  def name(self, split: str, index: int) -> str:
    """The id of the record."""
    return self._name(split, index, self.splits[split].records[index])

  def read(self, split: str, index: int) -> Stored:
    """The bytes in the record."""
    examples = self.splits[split]
    keys, record = examples.keys, examples.records[index]
    labelled = examples.labelled_count
    wanted = self.labels and "segmentation" in keys
    vector = None
    if "attributes" in keys:
      vector = attribute_vector(record[keys["attributes"]])
    return Stored(
      self._name(split, index, record),
      record[keys["image"]],
      record[keys["segmentation"]]
      if wanted and (labelled is None or index < labelled)
      else None,
      attributes=vector,
    )

  def _name(self, split: str, index: int, record: Mapping[str, Any]) -> str:
    if key := self.splits[split].keys.get("id"):
      value = record[key]
      return value.decode() if isinstance(value, bytes) else str(value)
    return f"{split}/{index:07d}"


def positions(sizes: Mapping[str, int], sample: int) -> list[tuple[str, int]]:
  """(split, index) of what is read, in order.

  Args:
    sizes: examples of each split.
    sample: how many in all, about, spread evenly; 0 = every one.
  """
  total = sum(sizes.values())
  share = 1.0 if not sample else min(1.0, sample / max(1, total))
  return [
    (split, index)
    for split, size in sizes.items()
    for index in np.linspace(0, size - 1, math.ceil(size * share))
    .round()
    .astype(int)
    .tolist()
  ]


def in_threads(
  work: Callable[[Task], Result], tasks: Iterable[Task], *, total: int, of: str
) -> Iterator[Result]:
  """`map(work, tasks)` by several threads, few tasks ahead of the reader.

  Args:
    work: called with each task.
    tasks: in order.
    total: how many, for the progress bar.
    of: what is read, for the progress bar.
  """
  workers = os.cpu_count() or 1
  pool = concurrent.futures.ThreadPoolExecutor(workers)
  pending: collections.deque[concurrent.futures.Future[Result]]
  pending = collections.deque()
  bar = tqdm.tqdm(total=total, desc=f"reading {of}", unit="file", disable=None)
  try:
    with bar:
      for task in tasks:
        pending.append(pool.submit(work, task))
        if len(pending) >= _AHEAD * workers:
          yield pending.popleft().result()
          bar.update()
      while pending:
        yield pending.popleft().result()
        bar.update()
  finally:
    # After Ctrl-C nobody waits for what was handed out.
    pool.shutdown(cancel_futures=True)
