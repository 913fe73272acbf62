"""Grey holes in the pictures of networks that name what they see.

A classifier or segmenter that guides inpainting reads corrupted pictures. So it
is trained on half corrupted and half whole ones; grey is 0 in [-1, 1].
"""

import chex
import jax


def grey_holes(
  key: jax.Array | None,
  image: chex.Array,
  mask: chex.Array | None,
  *,
  train: bool,
) -> chex.Array:
  """Greys the hole of every picture, in training of each with chance 1/2.

  Args:
    key: of the choice; not used outside training.
    image: float [B, H, W, 3] in [-1, 1].
    mask: [B, H, W, 1], 1 = missing; None outside training = no holes.
    train: whether a network is being trained.

  Returns:
    float [B, H, W, 3].

  Raises:
    ValueError: in training, the mask or the key is missing.
  """
  if not train:
    return image if mask is None else image * (1.0 - mask)
  if mask is None or key is None:
    raise ValueError("holes=True needs batch.mask and a key in training")
  chosen = jax.random.bernoulli(key, 0.5, (image.shape[0], 1, 1, 1))
  return image * (1.0 - mask * chosen)
