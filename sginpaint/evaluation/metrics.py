"""Image metrics, one number per picture, and sums of them that can be merged.

Pictures are [B, H, W, 3] on the scale 0..255, uint8 or float with the values of
a saved file; masks are [B, H, W, 1] with 1 = hole. Every function is pure,
jittable and returns float32 [B]. A metric that a picture does not have (a hole
metric without a hole) is NaN; who averages leaves it out by `Mean.of(where=)`.

PSNR of an identical pair would be infinite and poison every mean, so it is
capped at `PSNR_CAP`; `is_capped` lets the caller count how often.

SSIM: Wang et al. 2004, per channel, K = (0.01, 0.03), mean over the windows
that lie wholly inside the picture, then over channels; agrees with
scikit-image's `structural_similarity` for the same window, size and covariance.

The band is where a seam would be seen: hole pixels at most `BAND` pixels from a
known one, diagonals counting as one. It lies in the hole alone, for on the
known side a composite has no error.
"""

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

PSNR_CAP = 100.0
BAND = 4  # pixels
_PEAK = 255.0  # largest value of a sample
_GREY = _PEAK / 2


@flax.struct.dataclass
class Mean:
  """A mean that can be added up over batches, buckets and processes."""

  total: chex.Numeric
  count: chex.Numeric

  @classmethod
  def of(cls, values: chex.Array, where: chex.Array | None = None) -> "Mean":
    """Sums [B] values where `where` [B] is true (default: everywhere)."""
    xp = np if isinstance(values, np.ndarray) else jnp
    if where is None:
      where = xp.ones(values.shape, bool)
    if where.shape != values.shape:
      raise ValueError(
        f"values {values.shape} and where {where.shape} must have one shape"
      )
    return cls(xp.where(where, values, 0).sum(), where.sum())

  def merge(self, other: "Mean") -> "Mean":
    """The mean over what either has counted."""
    return Mean(self.total + other.total, self.count + other.count)

  def compute(self) -> float:
    """The mean; NaN when nothing was counted."""
    return float(self.total) / int(self.count) if self.count else float("nan")


def _pair(a: chex.Array, b: chex.Array) -> tuple[jax.Array, jax.Array]:
  chex.assert_rank([a, b], 4)
  chex.assert_equal_shape([a, b])
  return jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32)


def _psnr_of(mse: jax.Array) -> jax.Array:
  floor = _PEAK**2 / 10.0 ** (PSNR_CAP / 10.0)
  return 10.0 * jnp.log10(_PEAK**2 / jnp.maximum(mse, floor))


def is_capped(psnr_values: chex.Array) -> chex.Array:
  """bool [B]: the pair was identical (or so near that it makes no odds)."""
  return psnr_values >= PSNR_CAP - 1e-4


def psnr(a: chex.Array, b: chex.Array) -> jax.Array:
  """Peak signal-to-noise ratio over the whole picture, dB, at most 100."""
  a, b = _pair(a, b)
  return _psnr_of(jnp.mean((a - b) ** 2, axis=(1, 2, 3)))


def mae(a: chex.Array, b: chex.Array) -> jax.Array:
  """Mean absolute difference, each channel apart, on the scale [0, 1]."""
  a, b = _pair(a, b)
  return jnp.mean(jnp.abs(a - b), axis=(1, 2, 3)) / _PEAK


def l1_percent(a: chex.Array, b: chex.Array) -> jax.Array:
  """100 x mean absolute difference of [0, 1], whole picture, all channels."""
  return 100.0 * mae(a, b)


def l2_percent(a: chex.Array, b: chex.Array) -> jax.Array:
  """100 x mean squared difference of [0, 1], whole picture, all channels.

  The "mean l1 error" and "mean l2 error" in percent of Li et al. (IJCNN 2019),
  table I, and of others in their line; no root is taken.
  """
  a, b = _pair(a, b)
  # Whole numbers are summed exactly, in whatever order.
  return 100.0 * jnp.mean((a - b) ** 2, axis=(1, 2, 3)) / _PEAK**2


def l1_spl(a: chex.Array, b: chex.Array) -> jax.Array:
  """Mean absolute difference of the channel means, on the scale [0, 1].

  What the official SPL code calls L1: errors of opposite sign in two channels
  cancel, so it lies below `mae`.
  """
  a, b = _pair(a, b)
  difference = jnp.abs(jnp.mean(a, axis=-1) - jnp.mean(b, axis=-1))
  return jnp.mean(difference, axis=(1, 2)) / _PEAK


def grey(a: chex.Array) -> jax.Array:
  """Luminance float32 [B, H, W, 1], with the weights of scikit-image."""
  weights = jnp.asarray((0.2125, 0.7154, 0.0721), jnp.float32)
  levels = jnp.asarray(a, jnp.float32) * weights
  return levels.sum(axis=-1, keepdims=True)


def relative_mae(a: chex.Array, b: chex.Array) -> jax.Array:
  """Sum of absolute differences / sum of all levels of both pictures.

  What edge-connect and AOT-GAN call MAE. NaN where both are black.
  """
  a, b = _pair(a, b)
  return jnp.abs(a - b).sum((1, 2, 3)) / (a + b).sum((1, 2, 3))


def known_changed(a: chex.Array, b: chex.Array, mask: chex.Array) -> jax.Array:
  """Known pixels in which two pictures differ, a count per picture."""
  a, b = _pair(a, b)
  known = jnp.asarray(mask)[..., 0] <= 0.5
  changed = (a != b).any(axis=-1) & known
  return changed.sum((1, 2)).astype(jnp.float32)


def hole_mean(values: chex.Array, mask: chex.Array) -> jax.Array:
  """Mean of [B, H, W, C] over hole pixels and all channels; NaN without."""
  chex.assert_equal_shape_prefix([values, mask], 3)
  chex.assert_axis_dimension(mask, -1, 1)
  hole = (jnp.asarray(mask) > 0.5).astype(jnp.float32)
  count = hole.sum((1, 2, 3)) * values.shape[-1]
  mean = (values * hole).sum((1, 2, 3)) / jnp.maximum(count, 1.0)
  return jnp.where(count > 0, mean, jnp.nan)


def hole_psnr(a: chex.Array, b: chex.Array, mask: chex.Array) -> jax.Array:
  """PSNR over hole pixels, three channels together, dB, at most 100."""
  a, b = _pair(a, b)
  return _psnr_of(hole_mean((a - b) ** 2, mask))


def hole_mae(a: chex.Array, b: chex.Array, mask: chex.Array) -> jax.Array:
  """Mean absolute difference over hole pixels, on the scale [0, 1]."""
  a, b = _pair(a, b)
  return hole_mean(jnp.abs(a - b), mask) / _PEAK


def band(mask: chex.Array) -> jax.Array:
  """Hole pixels near known ones, float32 [B, H, W, 1]; see the module."""
  chex.assert_rank(mask, 4)
  known = (jnp.asarray(mask) <= 0.5).astype(jnp.float32)
  side, near = 2 * BAND + 1, known
  for window in ((1, side, 1, 1), (1, 1, side, 1)):
    near = jax.lax.reduce_window(
      near, 0.0, jax.lax.max, window, (1, 1, 1, 1), "SAME"
    )
  return near * (1.0 - known)


def band_mae(a: chex.Array, b: chex.Array, mask: chex.Array) -> jax.Array:
  """Mean absolute difference in the band, on the scale [0, 1].

  NaN without a hole, and where nothing is known.
  """
  return hole_mae(a, b, band(mask))


def _window(kind: str, size: int, sigma: float) -> np.ndarray:
  if kind == "uniform":
    return np.full(size, 1.0 / size)
  if kind == "gaussian":
    x = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    return weights / weights.sum()
  raise ValueError(f"window {kind!r} is not known; use gaussian or uniform")


def _band(length: int, window: np.ndarray, padded: bool) -> np.ndarray:
  """float64 [places, length]: each row is the window at one place."""
  reach = len(window) // 2 if padded else 0
  places = length - len(window) + 1 + 2 * reach
  band = np.zeros((places, length + 2 * reach))
  for offset, weight in enumerate(window):
    band[np.arange(places), np.arange(places) + offset] = weight
  return band[:, reach : reach + length]


def _of_shifted(x: jax.Array, y: jax.Array, beyond: np.ndarray) -> jax.Array:
  """What to take from E[xy] around mid-grey for the covariance of levels.

  Args:
    x: mean around mid-grey.
    y: likewise.
    beyond: share of each window that lies beyond the border, black.
  """
  return x * y - beyond * (_GREY * (x + y) + _GREY**2 * (1 - beyond))


def ssim(
  a: chex.Array,
  b: chex.Array,
  *,
  window: str = "gaussian",
  size: int = 11,
  sigma: float = 1.5,
  sample_covariance: bool = False,
  zero_padded: bool = False,
) -> jax.Array:
  """Structural similarity.

  Args:
    a: [B, H, W, C], H and W at least `size`.
    b: as `a`.
    window: "gaussian" (Wang et al.; width `sigma`) or "uniform".
    size: side of the window, odd.
    sigma: of the Gaussian.
    sample_covariance: n / (n - 1) instead of population (co)variances.
    zero_padded: a window around every pixel, black beyond the border, instead
      of those wholly inside.

  Raises:
    ValueError: the window is larger than the picture, even, or not known.
  """
  a, b = _pair(a, b)
  _, h, w, _ = a.shape
  if size % 2 == 0 or size > min(h, w):
    raise ValueError(f"SSIM window {size} must be odd and fit into {h}x{w}")
  weights = _window(window, size, sigma)
  rows, columns = (_band(n, weights, zero_padded) for n in (h, w))

  def smooth(x: jax.Array) -> jax.Array:
    # Full float32 also where accelerators multiply in bfloat16 or TF32: the
    # variances below are small differences of large numbers.
    return jnp.einsum(
      "ph,bhwc,qw->bpqc",
      *(rows.astype(np.float32), x, columns.astype(np.float32)),
      precision=jax.lax.Precision.HIGHEST,
    )

  # Around mid-grey the squares are a quarter as large: less cancellation. What
  # a window has beyond the border stays black, hence `beyond`.
  inside = np.outer(rows.sum(1), columns.sum(1))[None, :, :, None]
  beyond = np.where(np.abs(1 - inside) < 1e-9, 0.0, 1 - inside)
  a, b = a - _GREY, b - _GREY
  mean_a, mean_b = smooth(a), smooth(b)
  var_a = smooth(a * a) - _of_shifted(mean_a, mean_a, beyond)
  var_b = smooth(b * b) - _of_shifted(mean_b, mean_b, beyond)
  cov = smooth(a * b) - _of_shifted(mean_a, mean_b, beyond)
  if sample_covariance:
    n = size * size
    var_a, var_b, cov = (n / (n - 1) * x for x in (var_a, var_b, cov))
  mean_a, mean_b = (m + _GREY * (1 - beyond) for m in (mean_a, mean_b))
  c1, c2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
  luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
  structure = (2 * cov + c2) / (var_a + var_b + c2)
  return jnp.mean(luminance * structure, axis=(1, 2, 3))
