"""Runs a frozen teacher over a data set once, into a store of features.

A teacher is any workdir of this library whose network takes pictures in
[-1, 1] and returns named layers. CNNs are not flip-equivariant (one strided
blur alone gives a median relative error of 0.43), so both orientations are
stored unless `teacher.flip = "mirror"`, whose error is measured and printed.

Any number of processes may fill one store, of a cluster or started by hand on
machines that share its folder: each takes shards that no other one has.
"""

import logging
from collections.abc import Iterator, Sequence

import jax
import numpy as np
import tqdm
from jax.experimental import multihost_utils
from ml_collections import ConfigDict

from sginpaint.batch import Batch
from sginpaint.data import pipeline
from sginpaint.data.datasets import Dataset
from sginpaint.data.feature_format import VIEWS, decode, encode
from sginpaint.data.splits import Split
from sginpaint.data.teacher_features import FeatureStore, FeatureWriter
from sginpaint.errors import UserError
from sginpaint.training import feature_sizes, setup
from sginpaint.training.teacher_views import TeacherViews

_log = logging.getLogger(__name__)

# Another kind of device rounds otherwise: bfloat16 by up to 2^-8, int8 by up to
# half a level of 1/127 of the largest value. Another teacher is far beyond.
_TOLERANCE = {"bfloat16": 0.01, "int8": 0.05}


def precompute(
  config: ConfigDict,
  split: str,
  *,
  overwrite: bool = False,
  discard: Sequence[int] = (),
) -> str:
  """Writes the features of one split; goes on where a killed run stopped.

  Args:
    config: of the training that will use them (`data` and `teacher`).
    split: of its data set.
    overwrite: throw away features that were made otherwise.
    discard: shards to make again.

  Returns:
    The directory of the store.

  Raises:
    UserError: no teacher, no such layer, random crops, or too little space.
  """
  dataset, views = _open(config)
  examples = dataset.split(split)
  first = jax.process_index() == 0
  _wait("sginpaint precompute opens")
  if not first:  # what is thrown away is so before others look
    _wait("sginpaint precompute begins")
  with FeatureWriter(
    setup.features_directory(config, split),
    setup.teacher_metadata(config, dataset, split, views.hash),
    examples.ids,
    dtype=config.teacher.dtype,
    views=_stored(config),
    overwrite=overwrite and first,
    discard=discard if first else (),
  ) as writer:
    if first:
      _wait("sginpaint precompute begins")
    feature_sizes.check_space(writer, views.shape, config)
    errors = _fill(writer, examples, views, config)
  if errors:
    _log.info(
      "teacher.flip=mirror: median relative error %.3f of mirrored features",
      np.median(np.concatenate(errors)),
    )
  _wait("sginpaint precompute ends")
  return str(writer.directory)


def verify(config: ConfigDict, split: str, *, count: int = 8) -> list[int]:
  """Compares a store with what was written, and some of it with the teacher.

  Args:
    config: as for `precompute`.
    split: of its data set.
    count: pictures to ask the teacher about anew, evenly spread.

  Returns:
    The shards that are missing or damaged.

  Raises:
    UserError: there is no store, it was made otherwise or is unfinished, or
      whole shards hold other features than the teacher now gives.
  """
  dataset, views = _open(config)
  examples = dataset.split(split)
  directory = setup.features_directory(config, split)
  expected = setup.teacher_metadata(config, dataset, split, views.hash)
  store = FeatureStore(directory, expected, check=False)
  bad = store.damaged()
  size = store.metadata["records_per_shard"]
  spread = np.linspace(0, len(store) - 1, count).astype(int)
  chosen = [i for i in np.unique(spread).tolist() if i // size not in bad]
  worst = 0.0
  for batch in _batches(examples, chosen, views, config) if chosen else ():
    for i, true in _rows(batch, views):
      worst = max(worst, _difference(store, i, true))
  if worst > _TOLERANCE[config.teacher.dtype]:
    raise UserError(
      f"{directory}: features differ from the teacher's by {worst:.2g} of "
      "their size; delete that folder and precompute them anew"
    )
  _log.info(
    "%d of %d shards as written; %d pictures asked anew: largest relative "
    "difference %.1e",
    len(store.metadata["shards"]) - len(bad),
    len(store.metadata["shards"]),
    len(chosen),
    worst,
  )
  return bad


def _open(config: ConfigDict) -> tuple[Dataset, TeacherViews]:
  setup.check_teacher(config)
  setup.check_crop(config)
  return setup.load_data(config), TeacherViews(config)


def _wait(name: str) -> None:
  """For the other processes, where there are some."""
  if jax.process_count() > 1:
    multihost_utils.sync_global_devices(name)


def _stored(config: ConfigDict) -> tuple[str, ...]:
  return VIEWS[:1] if config.teacher.flip == "mirror" else VIEWS


def _fill(
  writer: FeatureWriter,
  examples: Split,
  views: TeacherViews,
  config: ConfigDict,
) -> list[np.ndarray]:
  """Makes shards while there are any; errors of mirroring, where it is done."""
  errors = []
  stored = len(_stored(config))
  me, count = jax.process_index(), jax.process_count()
  with tqdm.tqdm(total=len(examples), unit="picture", disable=me > 0) as bar:
    for span in writer.claim(me, count):
      # Others finish shards meanwhile.
      missing = sum(len(writer.ranges[i]) for i in writer.missing())
      bar.update(len(examples) - missing - bar.n)
      for batch in _batches(examples, span, views, config):
        both = views(batch.image)[np.asarray(batch.valid)]
        if stored == 1:
          errors.append(_mirror_error(both))
        writer.write(both[:, :stored])
        bar.update(len(both))
  return errors


def _batches(
  examples: Split,
  indices: Sequence[int],
  views: TeacherViews,
  config: ConfigDict,
) -> Iterator[Batch]:
  geometry = pipeline.geometry_options(config.data, train=False)
  geometry["image_size"] = views.input_size
  with pipeline.evaluation_batches(
    examples, batch_size=views.batch_size, indices=indices, **geometry
  ) as batches:
    yield from batches


def _rows(
  batch: Batch, views: TeacherViews
) -> Iterator[tuple[int, np.ndarray]]:
  """(position, features [2, h, w, F]) of the examples of a batch."""
  valid = np.asarray(batch.valid)
  yield from zip(
    np.asarray(batch.index)[valid].tolist(),
    views(batch.image)[valid],
    strict=True,
  )


def _difference(store: FeatureStore, example: int, true: np.ndarray) -> float:
  """Largest relative L2 error of the stored views of an example."""
  dtype, worst = store.metadata["dtype"], 0.0
  for view, flip in zip(store.metadata["views"], (False, True), strict=False):
    features = true[VIEWS.index(view)]
    expected = decode(encode(features, dtype=dtype), store.shape, dtype=dtype)
    expected = expected.astype(np.float32)
    error = np.linalg.norm(store.read(example, flip=flip) - expected)
    worst = max(
      worst, float(error / np.maximum(np.linalg.norm(expected), 1e-12))
    )
  return worst


def _mirror_error(both: np.ndarray) -> np.ndarray:
  """Relative L2 error per picture of mirroring instead of recomputing."""
  mirrored, true = both[:, 0, :, ::-1], both[:, 1]
  axes = (1, 2, 3)
  error = np.sqrt(np.sum((mirrored - true) ** 2, axis=axes))
  return error / np.maximum(np.sqrt(np.sum(true**2, axis=axes)), 1e-12)
