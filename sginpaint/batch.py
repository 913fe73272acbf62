"""What travels from the data pipeline to the networks: one `Batch`.

Fixed once for the whole library: layout NHWC, networks see images in [-1, 1],
`mask` is 1 where a pixel is *missing*, class index 255 means "ignore", an
attribute of NaN means "unknown". Letters in shapes: B batch, H W space, C
channels, K segmentation classes, A attributes, F teacher channels.
"""

import chex
import flax.struct
import jax
import jax.numpy as jnp

IGNORE = 255


class Guidance(flax.struct.PyTreeNode):
  """What is known of the meaning of the hole when a picture is filled.

  Attributes:
    segmentation: int32 [B, H, W] class indices, 255 where nothing is said.
    attributes: float32 [B, A], NaN where nothing is said.
  """

  segmentation: chex.Array | None = None
  attributes: chex.Array | None = None


class Batch(flax.struct.PyTreeNode):
  """A batch of examples; what is absent is None.

  Attributes:
    image: uint8 [B, H, W, 3] out of the pipeline, float32 in [-1, 1] after
      `normalize_image` inside the step.
    mask: float32 [B, H, W, 1], 1 = missing; None until the step draws it.
    segmentation: int32 [B, H, W], class index 0..K-1 or 255 = ignore.
    attributes: float32 [B, A] in [0, 1], NaN = unknown.
    teacher_features: float [B, h, w, F], precomputed.
    teacher_image: uint8 or [-1, 1] [B, 2H, 2W, 3], only for an online teacher.
    guidance: what `predict` may know of the hole.
    valid: bool [B], False for the padding of a ragged last batch.
    index: int32 [B], position of the example in its split.
  """

  image: chex.Array
  mask: chex.Array | None = None
  segmentation: chex.Array | None = None
  attributes: chex.Array | None = None
  teacher_features: chex.Array | None = None
  teacher_image: chex.Array | None = None
  guidance: Guidance | None = None
  valid: chex.Array | None = None
  index: chex.Array | None = None


def normalize_image(image: chex.Array) -> jax.Array:
  """Maps uint8 [..., 3] to float32 in [-1, 1]; leaves floats as they are."""
  if jnp.issubdtype(image.dtype, jnp.floating):
    return image
  return image.astype(jnp.float32) / 127.5 - 1.0


def to_uint8(image: chex.Array) -> jax.Array:
  """Maps [-1, 1] to uint8 with rounding; values outside are clipped."""
  levels = jnp.round((image.astype(jnp.float32) + 1.0) * 127.5)
  return jnp.clip(levels, 0.0, 255.0).astype(jnp.uint8)


def composite(
  prediction: chex.Array, image: chex.Array, mask: chex.Array
) -> jax.Array:
  """Takes the hole from `prediction` and everything else from `image`.

  Args:
    prediction: [B, H, W, 3], any range and dtype.
    image: [B, H, W, 3], same range and dtype.
    mask: [B, H, W, 1], 1 = missing.

  Returns:
    [B, H, W, 3] in the dtype of `image`; known pixels bit-equal to `image`.
  """
  chex.assert_equal_shape([prediction, image])
  return jnp.where(mask > 0.5, prediction.astype(image.dtype), image)


def one_hot_segmentation(
  segmentation: chex.Array, num_classes: int
) -> jax.Array:
  """One-hot map float32 [B, H, W, K]; an ignored pixel is all zeros."""
  return jax.nn.one_hot(segmentation, num_classes, dtype=jnp.float32)
