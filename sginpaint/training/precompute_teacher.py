"""Runs a frozen teacher over a data set once, into a store of features.

A teacher is any workdir of this library whose network takes pictures in
[-1, 1] and returns named layers. CNNs are not flip-equivariant (one strided
blur alone gives a median relative error of 0.43), so both orientations are
stored unless `teacher.flip = "mirror"`, whose error is measured and printed.
"""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.batch import normalize_image
from sginpaint.data import pipeline
from sginpaint.data.teacher_features import FeatureWriter
from sginpaint.errors import UserError
from sginpaint.training import setup, sharding

_log = logging.getLogger(__name__)


def precompute(
  config: ConfigDict, split: str, *, overwrite: bool = False
) -> str:
  """Writes the features of one split; goes on where a killed run stopped.

  Args:
    config: of the training that will use them (`data` and `teacher`).
    split: of its data set.
    overwrite: throw away features that were made otherwise.

  Returns:
    The directory of the store.

  Raises:
    UserError: no teacher, no such layer, or random crops.
  """
  setup.check_teacher(config)
  setup.check_crop(config)
  dataset = setup.load_data(config)
  teacher = checkpoints.load(config.teacher.path)
  views = _make_views(teacher, config)
  examples = dataset.split(split)
  mirror = config.teacher.flip == "mirror"
  directory = setup.features_directory(config, split)
  geometry = setup.geometry(config, train=False)
  geometry["image_size"] *= config.teacher.input_scale
  errors = []
  with FeatureWriter(
    directory,
    setup.teacher_metadata(config, dataset, split, teacher.hash),
    examples.ids,
    dtype=config.teacher.dtype,
    views=("identity",) if mirror else ("identity", "flip"),
    overwrite=overwrite,
  ) as writer:
    start = writer.next_index
    batches = pipeline.evaluation_batches(
      examples,
      batch_size=config.batch_size,
      indices=range(start, len(examples)),
      **geometry,
    )
    bar = tqdm.tqdm(total=len(examples), initial=start, unit="picture")
    with batches, bar:
      for batch in batches:
        both = np.asarray(views(batch.image))[np.asarray(batch.valid)]
        if mirror:
          errors.append(_mirror_error(both))
        writer.write(both[:, :1] if mirror else both)
        bar.update(len(both))
  if errors:
    _log.info(
      "teacher.flip=mirror: median relative error %.3f of mirrored features",
      np.median(np.concatenate(errors)),
    )
  return str(directory)


def _make_views(teacher: checkpoints.Loaded, config: ConfigDict):
  """images uint8 [B, H, W, 3] -> features [B, 2, h, w, F], the 2nd flipped."""
  mesh = sharding.make_mesh()
  sharding.check_batch_size(config.batch_size, mesh)
  layer, module = config.teacher.layer, teacher.system.generator
  size = config.teacher.input_scale * config.data.image_size
  outputs = jax.eval_shape(
    lambda variables, image: module.apply(variables, image, train=False),
    teacher.variables,
    jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32),
  )
  if layer not in outputs:
    raise UserError(
      f"config.teacher.layer={layer!r} is not an output of "
      f"{config.teacher.path}; choose from {', '.join(sorted(outputs))}"
    )

  def features(variables, image):
    outputs = module.apply(variables, image, train=False)
    return outputs[layer].astype(jnp.float32)

  @jax.jit
  def views(variables, image):
    image = normalize_image(image)
    return jnp.stack(
      [
        features(variables, image),
        features(variables, jnp.flip(image, axis=2)),
      ],
      axis=1,
    )

  variables = jax.device_put(teacher.variables, sharding.replicated(mesh))
  return lambda image: views(variables, sharding.put_batch(image, mesh))


def _mirror_error(both: np.ndarray) -> np.ndarray:
  """Relative L2 error per picture of mirroring instead of recomputing."""
  mirrored, true = both[:, 0, :, ::-1], both[:, 1]
  axes = (1, 2, 3)
  error = np.sqrt(np.sum((mirrored - true) ** 2, axis=axes))
  return error / np.maximum(np.sqrt(np.sum(true**2, axis=axes)), 1e-12)
