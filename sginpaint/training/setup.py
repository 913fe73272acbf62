"""What a training needs besides the step: data, teacher, frozen networks.

Each function turns a section of the config into an object, and what is wrong
with the section into a `UserError` before the first step.
"""

import dataclasses
import os
import pathlib
import textwrap
import traceback
from typing import Any

from flax import traverse_util
from ml_collections import ConfigDict

from sginpaint import checkpoints, pretrained, workdirs
from sginpaint.data.datasets import Dataset, load_dataset
from sginpaint.data.feature_format import DTYPES
from sginpaint.data.mask_files import MaskFolder
from sginpaint.data.relabelled import relabel
from sginpaint.data.splits import Split
from sginpaint.data.teacher_features import FeatureStore
from sginpaint.data.transforms import check_options, describe_preprocessing
from sginpaint.data.views import NO_LABELS, without_labels
from sginpaint.errors import UserError, check_choice
from sginpaint.systems import (
  SYSTEMS,
  build_system,
  example_batch,
  network_shapes,
)
from sginpaint.training.optimizer import check_held
from sginpaint.training.ranges import check_ranges
from sginpaint.training.remat import POLICIES

# Fields that may differ when a training is resumed: they change neither the
# parameters' structure nor what was learnt so far.
_FREE = (
  "steps",
  "dry_run",
  "accumulate",
  "remat",
  "log",
  "checkpoint",
  "eval",
  "data/threads",
  "data/path",
)

# Fields that name a network, of which `WORKDIR/frozen/<name>` holds a copy.
_HELD = {
  "objective/classifier": "classifier",
  "objective/perceptual": "perceptual",
  "objective/pseudo_labels": "pseudo_labels",
  "objective/segmenter": "segmenter",
  "teacher/path": "teacher",
}


def check_config(config: ConfigDict) -> None:
  """Raises UserError for numbers and names that no training can have."""
  check_choice("system", config.system, SYSTEMS)
  check_ranges(config)
  check_choice("remat", config.remat, POLICIES)
  check_choice("dtype", config.dtype, ("float32", "bfloat16"))
  check_choice("teacher.mode", config.teacher.mode, ("precomputed", "online"))
  check_choice("teacher.flip", config.teacher.flip, ("both", "mirror"))
  check_choice("teacher.dtype", config.teacher.dtype, DTYPES)
  data = config.data
  check_options(resize=data.resize, crop=data.crop, crop_size=data.crop_size)


def load_data(config: ConfigDict) -> Dataset:
  """The data set of `config.data`; fills in its classes and attributes."""
  data = config.data
  dataset = load_dataset(
    name=data.name,
    path=data.path,
    builder_config=data.builder_config,
    image_size=data.image_size,
    attributes=data.keep_attributes,
  )
  if data.labels == NO_LABELS:
    dataset = without_labels(dataset)
  elif data.labels:
    dataset = relabel(dataset, data.train_split, data.labels)
  with config.unlocked():
    data.classes = tuple(dataclasses.asdict(c) for c in dataset.classes)
    data.attributes = tuple(dataset.attributes)
  return dataset


def check_system(config: ConfigDict, split: Split) -> None:
  """Raises UserError where a system cannot be trained on a split as told.

  Args:
    config: of the training, its classes known.
    split: that it trains on.
  """
  if build_system(config).learns_from_maps and not split.labelled:
    raise UserError(
      f"split {split.name} has no label maps, and {config.system} learns from "
      "them; name a folder of some as config.data.labels, or use other data"
    )
  try:
    shapes = network_shapes(config)
  except ValueError as e:
    # Networks refuse fields so; what JAX refuses in them is a bug.
    *_, (frame, _) = traceback.walk_tb(e.__traceback__)
    if frame.f_globals["__name__"].partition(".")[0] != "sginpaint":
      raise
    raise UserError(f"config.model: {e}; mend that section") from e
  check_held(config.optimizer, shapes)


def mask_options(config: ConfigDict) -> dict[str, Any]:
  """Keyword arguments of `masks.sample`."""
  options = config.masks.to_dict()
  for name in ("path", "white_is_hole"):
    del options[name]
  return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def open_masks(config: ConfigDict) -> MaskFolder | None:
  """The folder of masks that takes the place of drawn ones, if any."""
  if not config.masks.path:
    return None
  return MaskFolder(config.masks.path, white_is_hole=config.masks.white_is_hole)


def features_directory(config: ConfigDict, split: str) -> pathlib.Path:
  """Where the precomputed features of a split lie."""
  teacher = config.teacher
  root = teacher.features or os.path.join(
    teacher.path, "features", config.data.name
  )
  return pathlib.Path(root) / split


def teacher_metadata(
  config: ConfigDict, dataset: Dataset, split: str, teacher_hash: str
) -> dict[str, Any]:
  """All that features depend on: another value, other features."""
  return {
    "teacher": teacher_hash,
    "layer": config.teacher.layer,
    "preprocessing": describe_preprocessing(
      resize=config.data.resize,
      crop=config.data.crop,
      crop_size=config.data.crop_size,
      size=config.teacher.input_scale * config.data.image_size,
    ),
    "split": dataset.split(split).fingerprint,
    "flip": config.teacher.flip,
    "dtype": config.teacher.dtype,
  }


def check_teacher(config: ConfigDict) -> None:
  """Raises UserError where no teacher is; the message tells how to get one."""
  pretrained.check_path(
    config.teacher.path,
    field="config.teacher.path",
    model="tresnet_l",
    otherwise="train a teacher with configs/classifier.py and name its "
    "workdir, use configs/spl_no_teacher.py",
  )
  theirs = workdirs.load_config(config.teacher.path)
  inputs = build_system(theirs).generator_inputs(example_batch(theirs))
  if len(inputs) > 1:
    raise UserError(
      f"config.teacher.path={config.teacher.path}: holds a {theirs.system}, "
      "which takes more than a picture; train a teacher with "
      "configs/classifier.py"
    )


def open_teacher(
  config: ConfigDict, dataset: Dataset, workdir: str
) -> FeatureStore | None:
  """The store of precomputed features that the loss `prior` needs.

  Args:
    config: of the training.
    dataset: that it trains on.
    workdir: of the training; a teacher that it holds already is not needed.

  Raises:
    UserError: no teacher is named, its features are missing or stale, or the
      training crops at random, for which features cannot be precomputed.
  """
  if "prior" not in config.loss_weights.generator:
    return None
  teacher = config.teacher
  if teacher.mode == "online":
    if not workdirs.held_network(workdir, "teacher"):
      check_teacher(config)
    return None
  check_teacher(config)
  check_crop(config)
  split = config.data.train_split
  store = FeatureStore(
    features_directory(config, split),
    teacher_metadata(
      config, dataset, split, checkpoints.load(teacher.path).hash
    ),
  )
  channels = store.shape[-1]
  expected = config.model.generator.get("prior_channels", channels)
  if channels != expected:
    raise UserError(
      f"config.model.generator.prior_channels={expected}: layer "
      f"{teacher.layer} of {teacher.path} has {channels} channels"
    )
  return store


def check_crop(config: ConfigDict) -> None:
  """Raises UserError where precomputed features could not fit the crop."""
  if config.data.resize == "shorter_side" and config.data.crop == "random":
    raise UserError(
      "config.data.crop=random: does not go with precomputed features; use "
      "crop=center or config.teacher.mode=online"
    )


def check_resumable(workdir: str, config: ConfigDict) -> None:
  """Raises UserError when `workdir` belongs to another config."""
  if not workdirs.steps(workdir):
    return
  old = _flat(workdirs.load_config(workdir))
  new = _flat(config)
  for name in sorted(old.keys() | new.keys()):
    if name.startswith(_FREE) or old.get(name) == new.get(name):
      continue
    if _moved(name, old.get(name), new.get(name), workdir):
      continue
    raise UserError(
      f"config.{name.replace('/', '.')}={_short(new.get(name))}: {workdir} was "
      f"trained with {_short(old.get(name))}; use that or another --workdir"
    )


def _moved(name: str, old: Any, new: Any, workdir: str) -> bool:
  """Whether a field names another place of what the training took along."""
  known = None
  if name.startswith("init_from/"):
    known = old
  elif name in _HELD:
    known = workdirs.held_network(workdir, _HELD[name])
  if not (known and old and new and all(map(pretrained.is_path, (old, new)))):
    return False
  if not (workdirs.steps(known) and workdirs.steps(new)):
    return True  # one is gone; the training needs neither
  step = checkpoints.guiding_step(new) if name in _HELD else None
  taken = checkpoints.load(new, step=step)
  return taken.hash == checkpoints.load(known).hash


def _flat(config: ConfigDict) -> dict[str, Any]:
  # Through JSON, for it has lists where a config file may say tuples.
  return traverse_util.flatten_dict(workdirs.plain_config(config), sep="/")


def _short(value: Any) -> str:
  return textwrap.shorten(repr(value), 60)
