"""Which outputs a checkpoint serves, found without running it."""

import jax
import numpy as np

from sginpaint.batch import Batch
from sginpaint.checkpoints import Loaded


def output_names(loaded: Loaded) -> frozenset[str]:
  """What `predict` gives; of classifiers and segmenters no `image`."""
  size = loaded.config.data.image_size
  batch = Batch(
    image=np.zeros((1, size, size, 3), np.float32),
    mask=np.zeros((1, size, size, 1), np.float32),
  )
  outputs = jax.eval_shape(
    loaded.system.predict, loaded.variables, loaded.frozen, batch
  )
  return frozenset(outputs)
