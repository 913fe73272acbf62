"""The picture grid that TensorBoard shows while a system trains."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from sginpaint.batch import Guidance, composite, to_uint8
from sginpaint.data import pipeline
from sginpaint.data.datasets import Dataset
from sginpaint.systems.base import System
from sginpaint.training import setup, sharding
from sginpaint.training.state import TrainState
from sginpaint.training.step import prepare_batch

EXAMPLES = 6


def make_preview(
  system: System, config: ConfigDict, dataset: Dataset, mesh: Mesh
) -> Callable[[TrainState, dict], np.ndarray]:
  """A function that fills the same few validation pictures each time.

  Returns:
    `show(state, frozen) -> uint8 [H', W', 3]`: a row per picture, with hole,
    filled and true side by side.
  """
  split = dataset.split(config.data.validation_split)
  batch = next(
    pipeline.evaluation_batches(
      split,
      batch_size=EXAMPLES,
      indices=range(min(EXAMPLES, len(split))),
      **pipeline.geometry_options(config.data, train=False),
    )
  )

  # On several processes all see the same few pictures, whole.
  @functools.partial(jax.jit, out_shardings=sharding.replicated(mesh))
  def fill(variables, frozen, batch):
    batch = prepare_batch(
      batch, config.seed, jnp.zeros((), jnp.int32), setup.mask_options(config)
    )
    if system.needs_map:
      told = Guidance(segmentation=batch.segmentation)
      batch = batch.replace(guidance=told)
    outputs = system.predict(variables, frozen, batch)
    filled = composite(outputs["image"], batch.image, batch.mask)
    holed = batch.image * (1 - batch.mask)
    return to_uint8(jnp.concatenate([holed, filled, batch.image], axis=2))

  def show(state: TrainState, frozen: dict) -> np.ndarray:
    params = state.generator.params if state.ema is None else state.ema
    variables = state.generator.replace(params=params).variables
    rows = jax.device_get(fill(variables, frozen, batch))
    return rows.reshape(-1, *rows.shape[2:])

  return show
