"""The files by which tfds, and `data/prepared.py`, know a built directory."""

import pathlib

import tensorflow_datasets as tfds

from sginpaint.data.builders.data_set import DataSet, Plan
from sginpaint.data.builders.shards import ShardReport, features
from sginpaint.data.classes import classes_csv
from sginpaint.files import write_atomically

VERSION = "1.0.0"
INFO = "dataset_info.json"


def describe(
  directory: pathlib.Path,
  data_set: DataSet,
  plan: Plan,
  reports: dict[str, list[ShardReport]],
) -> dict[str, int]:
  """Writes what describes the shards, dataset_info.json last.

  Args:
    directory: with the shards.
    data_set: that it is.
    plan: that it was built by.
    reports: of the shards of each split, in order.

  Returns:
    Pictures by split.
  """
  if plan.classes is not None:
    write_atomically(directory / "classes.csv", classes_csv(plan.classes))
  # tfds writes in place: a full disk would leave half of a dataset_info.json,
  # which counts as a whole data set.
  draft = directory / "building" / "described"
  draft.mkdir(parents=True, exist_ok=True)
  # It needs to see what the shards are called.
  shards = {file.name for file in directory.glob("*.array_record-*")}
  for name in shards:
    (draft / name).touch()
  _write_metadata(draft, data_set, plan, reports)
  written = [file for file in draft.iterdir() if file.name not in shards]
  for file in sorted(written, key=lambda file: file.name == INFO):
    write_atomically(directory / file.name, file.read_bytes())
  return {
    split: sum(report.records for report in group)
    for split, group in reports.items()
  }


def _write_metadata(
  directory: pathlib.Path,
  data_set: DataSet,
  plan: Plan,
  reports: dict[str, list[ShardReport]],
) -> None:
  template = tfds.core.ShardedFileTemplate(
    data_dir=directory,
    dataset_name=data_set.name,
    filetype_suffix="array_record",
    template="{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
  )
  splits = [
    tfds.core.SplitInfo(
      name=split,
      shard_lengths=[report.records for report in group],
      num_bytes=sum(report.bytes for report in group),
      filename_template=template,
    )
    for split, group in reports.items()
  ]
  labelled = {s: sum(r.labelled for r in group) for s, group in reports.items()}
  tfds.folder_dataset.write_metadata(
    data_dir=directory,
    features=features(plan),
    split_infos=splits,
    filename_template=template,
    version=VERSION,
    check_data=False,
    description=data_set.title,
    homepage=data_set.home,
    license=data_set.terms,
    disable_shuffling=True,
    metadata=tfds.core.MetadataDict(
      attributes=list(plan.attributes), labelled=labelled
    ),
  )
