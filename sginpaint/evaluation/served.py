"""What a checkpoint is shown, and what it serves, found without running it."""

import os
from collections.abc import Mapping

import chex
import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch, Guidance, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.errors import UserError
from sginpaint.systems import build_system, network_shapes
from sginpaint.workdirs import load_config


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


def seen(
  image: chex.Array,
  mask: chex.Array | None,
  guidance: Guidance | None = None,
) -> Batch:
  """What a network is shown of pictures: nothing under the hole.

  Args:
    image: uint8 or [-1, 1] [B, H, W, 3].
    mask: [B, H, W, 1], 1 = hole; None = whole pictures.
    guidance: what is known of the hole.
  """
  pixels = normalize_image(image)
  if mask is not None:
    pixels = jnp.where(mask > 0.5, 0.0, pixels)
  return Batch(image=pixels, mask=mask, guidance=guidance)


def untrained(config: ConfigDict, guides: Mapping[str, str]) -> Loaded:
  """What a training will leave, with shapes in the place of values.

  Args:
    config: of the training, its classes known.
    guides: {name: workdir} of the frozen networks that `predict` uses.
  """
  configs = {name: load_config(path) for name, path in guides.items()}
  modules = {name: build_system(c).generator for name, c in configs.items()}
  shapes = {name: network_shapes(c)["generator"] for name, c in configs.items()}
  return Loaded(
    config=config,
    system=build_system(config, modules),
    variables=dict(network_shapes(config)["generator"]),
    frozen=shapes,
    step=0,
    hash="",
    workdir=os.devnull,
  )


def check_finite(finite: np.ndarray, index: np.ndarray) -> None:
  """Raises UserError, which names a picture, unless `finite` [n] all hold."""
  if not finite.all():
    raise UserError(
      "the network puts out NaN or infinity (picture "
      f"{index[~finite][0]} of the split); choose an earlier --step"
    )
