"""One shard of a prepared data set: written by one process, read back by one.

A shard is an ArrayRecord file of serialised tf.train.Examples, as tfds writes
them, but of the same bytes whoever writes it and whenever: fields come in a
fixed order and nothing is compressed twice. Beside it, while the data set is
being built, `<shard>.json` says what is in it; it is written after the shard
has its name, so a shard counts only when it is whole.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow_datasets as tfds
from array_record.python.array_record_module import (
  ArrayRecordReader,
  ArrayRecordWriter,
)
from tensorflow_datasets.core.example_serializer import ExampleSerializer

from sginpaint.batch import IGNORE
from sginpaint.data.builders.data_set import Item, Plan
from sginpaint.data.builders.normalised import (
  normalise_labels,
  normalise_picture,
)
from sginpaint.data.classes import UNLISTED, ClassTable
from sginpaint.data.images import (
  LabelFormatError,
  UnreadableError,
  decode_labels,
  decode_rgb,
)
from sginpaint.files import write_atomically


@dataclasses.dataclass(frozen=True)
class Shard:
  """What goes into one file.

  Attributes:
    file: the shard.
    report: where to say what became of it.
    plan: of the data set, with the items of this shard only.
    size: see `normalised`.
  """

  file: pathlib.Path
  report: pathlib.Path
  plan: Plan
  size: int


@dataclasses.dataclass(frozen=True)
class ShardReport:
  """What became of a shard.

  Attributes:
    records: that are in it.
    bytes: of the file.
    labelled: how many of the records have a label map.
    left_out: (id, reason) of pictures that could not be used.
  """

  records: int
  bytes: int
  labelled: int
  left_out: tuple[tuple[str, str], ...]


def features(plan: Plan) -> tfds.features.FeaturesDict:
  """Of the records of a plan: image, id and, if any, labels and attributes."""
  image = tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg")
  found = {"image": image, "id": tfds.features.Text()}
  if plan.classes is not None:
    found["segmentation"] = tfds.features.Image(
      shape=(None, None, 1), encoding_format="png"
    )
  if plan.attributes:
    found["attributes"] = tfds.features.Tensor(
      shape=(len(plan.attributes),),
      dtype=np.float32,
      encoding=tfds.features.Encoding.BYTES,
    )
  return tfds.features.FeaturesDict(found)


def finished(shard: Shard) -> ShardReport | None:
  """The report of a shard that is whole, else None."""
  try:
    content = json.loads(shard.report.read_text())
    content["left_out"] = tuple(map(tuple, content["left_out"]))
    report = ShardReport(**content)
    return report if shard.file.stat().st_size == report.bytes else None
  except FileNotFoundError:
    return None


def write_shard(shard: Shard) -> ShardReport:
  """Writes a shard and its report; what was there is replaced.

  Pictures that cannot be read, and label maps with values that no class has,
  are left out and reported.

  Raises:
    OSError: it cannot be written.
  """
  plan = shard.plan
  spec = features(plan)
  serialise = ExampleSerializer(spec.get_serialized_info()).get_tf_example
  # A killed run's process may still be writing under another number.
  draft = shard.file.with_name(f"{shard.file.name}.{os.getpid()}.part")
  with _disk_errors():
    writer = ArrayRecordWriter(str(draft), "group_size:1,uncompressed")
  records, labelled, left_out = 0, 0, []
  for item in plan.items:
    try:
      example = _example(item, plan, shard.size)
    except (UnreadableError, LabelFormatError) as e:
      left_out.append((item.id, f"{item.image}: {e}"))
      continue
    proto = serialise(spec.encode_example(example))
    with _disk_errors():
      writer.write(proto.SerializeToString(deterministic=True))
    records += 1
    labelled += bool(item.labels)
  with _disk_errors():
    writer.close()
  with draft.open("rb") as written:
    os.fsync(written.fileno())
  os.replace(draft, shard.file)
  report = ShardReport(
    records, shard.file.stat().st_size, labelled, tuple(left_out)
  )
  write_atomically(shard.report, json.dumps(dataclasses.asdict(report)))
  return report


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
  try:
    yield
  except RuntimeError as e:  # so ArrayRecord calls a full disk
    raise OSError(str(e)) from e


def verify_shard(shard: Shard, report: ShardReport) -> str:
  """Reads a shard back; says what is wrong with it, or "".

  Checked are the number of records, the ids and their order, that pictures and
  label maps decode and have the same size, and the values of the latter.
  """
  spec = features(shard.plan)
  raw = {
    name: tfds.decode.SkipDecoding()
    for name in ("image", "segmentation")
    if name in spec
  }
  out = {name for name, _ in report.left_out}
  expected = [item.id for item in shard.plan.items if item.id not in out]
  try:
    reader = ArrayRecordReader(str(shard.file))
    if reader.num_records() != len(expected):
      return f"{reader.num_records()} records, not {len(expected)}"
    for name, record in zip(expected, reader.read_all(), strict=True):
      example = spec.deserialize_example_np(record, decoders=raw)
      if wrong := _defect(example, name, shard.plan.classes):
        return f"record {name}: {wrong}"
  except (OSError, RuntimeError, ValueError, IndexError) as e:
    return f"cannot be read back ({e})"
  return ""


def _example(item: Item, plan: Plan, size: int) -> dict:
  picture, shape = normalise_picture(item.image.read(), size)
  example: dict = {"image": picture, "id": item.id}
  labels = None
  if item.labels:
    parts = [(str(member), member.read()) for member in item.labels]
    labels = plan.label_map(parts)
    _check_values(labels, plan.classes)
  if plan.classes is not None:
    whole = np.full(shape, IGNORE, np.uint8) if labels is None else labels
    example["segmentation"] = normalise_labels(whole, shape)
  if plan.attributes:
    values = plan.attribute_values(item, labels)
    example["attributes"] = np.asarray(values, np.float32)
  return example


def _check_values(labels: np.ndarray, table: ClassTable | None) -> None:
  lookup = _lookup(table)
  strange = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
  strange = strange[lookup[strange] == UNLISTED]
  if len(strange):
    raise LabelFormatError(
      f"its label map holds the value {strange[0]}, which no class has"
    )


@functools.lru_cache(maxsize=2)
def _lookup(table: ClassTable) -> np.ndarray:
  return table.lookup


def _defect(example: dict, name: str, table: ClassTable | None) -> str:
  found = example["id"].decode()
  if found != name:
    return f"is {found}"
  try:
    shape = decode_rgb(example["image"]).shape[:2]
    if table is not None:
      labels = decode_labels(example["segmentation"])
      _check_values(labels, table)
      if labels.shape != shape:
        return f"label map {labels.shape}, picture {shape}"
  except (UnreadableError, LabelFormatError) as e:
    return str(e)
  return ""


def split_into_shards(count: int) -> Sequence[range]:
  """Positions of the records of each shard of a split of `count`."""
  # At least 256 records, and so few files that all can be open at once.
  most = max(256, -(-count // 512))
  return [
    range(start, min(start + most, count)) for start in range(0, count, most)
  ]
