"""A whole data set: reads it once and hands each example to every check."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from sginpaint.data.checks.attributes import PrevalenceCheck
from sginpaint.data.checks.findings import ERROR, Findings, Report
from sginpaint.data.checks.folder import REFUSED, Layout, check_layout, quiet
from sginpaint.data.checks.label_files import LabelFacts, inspect_label
from sginpaint.data.checks.labels import LabelCheck
from sginpaint.data.checks.pictures import (
  PictureCheck,
  PictureFacts,
  inspect_picture,
)
from sginpaint.data.checks.reading import (
  PreparedSource,
  Source,
  in_threads,
  positions,
)
from sginpaint.data.checks.splits import DuplicateCheck, check_splits
from sginpaint.data.classes import ClassInfo
from sginpaint.data.datasets import Dataset, load_dataset
from sginpaint.data.prepared import PreparedExamples
from sginpaint.data.views import NO_LABELS
from sginpaint.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class _Facts:
  name: str
  picture: PictureFacts
  label: LabelFacts | None = None
  label_name: str = ""
  attributes: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class _Opened:
  """A data set of either kind, ready to be read.

  Attributes:
    kind: for people.
    source: reads it.
    lookup: int32 [256], value -> class index; None = nothing describes them.
    classes: of the indices.
    labels: whether any label map may be there.
    attributes: their names.
    values: {split: float32 [n, A]}, where the source does not read them.
  """

  kind: str
  source: Source
  lookup: np.ndarray | None
  classes: Sequence[ClassInfo]
  labels: bool
  attributes: tuple[str, ...]
  values: Mapping[str, np.ndarray]


def check_dataset(
  data: ConfigDict, open_it: Callable[[], object], *, sample: int = 0
) -> Report:
  """Looks at all that a training would read.

  Args:
    data: `config.data`; what it names is there.
    open_it: opens the data set as a training does. What it raises as a
      `UserError` is a finding too, if nothing worse was found.
    sample: how many pictures are read, spread evenly; 0 = all.

  Returns:
    The verdict.

  Raises:
    UserError: there is nothing that could be looked at.
  """
  findings = Findings()
  opened = _open(data, findings)
  if opened is None:
    return _report(data, findings, "folder", {})
  roles = ("train", "validation", "test")
  sizes = opened.source.sizes
  wanted = {role: data[f"{role}_split"] for role in roles}
  check_splits(sizes, findings, wanted=wanted)
  read = _check_examples(opened, data, findings, sample)
  # Of a folder, a training looks at every file.
  partly = data.name == "folder" and sum(read.values()) < sum(sizes.values())
  if not (partly or findings.count(ERROR)):
    try:
      with quiet():
        open_it()
    except UserError as e:
      findings.add(REFUSED, str(e), count=0)
  return _report(data, findings, _describe(opened, read), read)


def _open(data: ConfigDict, findings: Findings) -> _Opened | None:
  wanted = data.labels != NO_LABELS
  if data.name != "folder":
    return _prepared(data, wanted=wanted)
  root = Path(data.path)
  if not data.path or not root.is_dir():
    raise UserError(f"{data.path!r}: no such folder; check the path")
  layout = check_layout(root, findings, labels=wanted)
  return _of_folder(layout) if layout else None


def _of_folder(layout: Layout) -> _Opened:
  table = layout.table
  lookup = table.lookup if table else None
  broken = layout.described and table is None
  return _Opened(
    kind="folder",
    source=layout.source,
    # A classes.csv that cannot be read says nothing against any number.
    lookup=np.zeros(256, np.int32) if broken else lookup,
    classes=table.classes if table else (),
    labels=layout.source.labels
    and any(p.label for split in layout.source.splits.values() for p in split),
    attributes=layout.attributes,
    values=layout.values,
  )


def _prepared(data: ConfigDict, *, wanted: bool) -> _Opened:
  with quiet():
    dataset = _load(data)
  splits = {
    name: examples
    for name, examples in dataset.splits.items()
    if isinstance(examples, PreparedExamples)
  }
  lookup = next((e.lookup for e in splits.values()), None)
  return _Opened(
    kind=f"prepared data set {data.name}",
    source=PreparedSource(splits, wanted),
    lookup=lookup,
    classes=dataset.classes,
    labels=wanted and lookup is not None,
    attributes=dataset.attributes,
    values={},
  )


def _load(data: ConfigDict) -> Dataset:
  return load_dataset(
    name=data.name,
    path=data.path,
    builder_config=data.builder_config,
    image_size=data.image_size,
  )


def _check_examples(
  opened: _Opened, data: ConfigDict, findings: Findings, sample: int
) -> dict[str, int]:
  """Reads the examples; returns how many of each split."""
  source = opened.source
  pictures = PictureCheck(
    findings, image_size=data.image_size, resize=data.resize
  )
  labels = LabelCheck(
    findings,
    lookup=opened.lookup,
    classes=opened.classes,
    file="classes.csv",
  )
  duplicates = DuplicateCheck(findings, source)
  kept = [n for n in opened.attributes if n in (data.keep_attributes or (n,))]
  columns = [opened.attributes.index(name) for name in kept]
  prevalence = PrevalenceCheck(findings, kept)

  def inspect(task: tuple[str, int]) -> _Facts:
    return _inspect(source, *task)

  tasks = positions(source.sizes, sample)
  read = dict.fromkeys(source.sizes, 0)
  results = in_threads(inspect, tasks, total=len(tasks), of=data.name)
  for (split, index), facts in zip(tasks, results, strict=True):
    read[split] += 1
    pictures.add(facts.name, facts.picture)
    if opened.labels:
      name = facts.label_name or facts.name
      labels.add(name, split, facts.label, facts.picture.size)
    duplicates.add(split, index, facts.name, facts.picture.content)
    if split == data.train_split and kept:
      values = facts.attributes
      if values is None:
        values = opened.values[split][index]
      prevalence.add(values[columns])
  pictures.finish()
  labels.finish(complete=len(tasks) == sum(source.sizes.values()))
  prevalence.finish()
  return read


def _inspect(source: Source, split: str, index: int) -> _Facts:
  try:
    stored = source.read(split, index)
  except (OSError, ValueError, RuntimeError) as e:
    name = f"{split}/{index}"
    return _Facts(name, PictureFacts(error=str(e)))
  label = None if stored.label is None else inspect_label(stored.label)
  picture = inspect_picture(stored.image)
  return _Facts(
    stored.name, picture, label, stored.label_name, stored.attributes
  )


def _describe(opened: _Opened, read: Mapping[str, int]) -> str:
  sizes = opened.source.sizes
  parts = ", ".join(
    f"{split or 'in no split'} {size:,}" for split, size in sizes.items()
  )
  total, looked_at = sum(sizes.values()), sum(read.values())
  text = f"{opened.kind} of {total:,} pictures ({parts})"
  if looked_at < total:
    text += f", a sample of {looked_at:,} read"
  labels = "no labels"
  if opened.labels:
    labels = "labels"
    if opened.classes:
      labels = f"labels of {len(opened.classes)} classes"
  count = len(opened.attributes)
  return f"{text}, {labels}, {count or 'no'} attributes"


def _report(
  data: ConfigDict, findings: Findings, what: str, read: Mapping[str, int]
) -> Report:
  return Report(
    source=data.path or data.name,
    what=what,
    read={split or "unlisted": n for split, n in read.items()},
    findings=findings.sorted(),
    use="can be trained on",
  )
