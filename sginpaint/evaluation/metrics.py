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
"""

import chex
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

PSNR_CAP = 100.0
_PEAK = 255.0  # largest value of a sample


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


def l1_spl(a: chex.Array, b: chex.Array) -> jax.Array:
  """Mean absolute difference of the channel means, on the scale [0, 1].

  What the official SPL code calls L1: errors of opposite sign in two channels
  cancel, so it lies below `mae`.
  """
  a, b = _pair(a, b)
  difference = jnp.abs(jnp.mean(a, axis=-1) - jnp.mean(b, axis=-1))
  return jnp.mean(difference, axis=(1, 2)) / _PEAK


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


def _window(kind: str, size: int, sigma: float) -> np.ndarray:
  if kind == "uniform":
    return np.full(size, 1.0 / size)
  if kind == "gaussian":
    x = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    return weights / weights.sum()
  raise ValueError(f"window {kind!r} is not known; use gaussian or uniform")


def _band(length: int, window: np.ndarray) -> np.ndarray:
  """[length - size + 1, length]: each row is the window at one place."""
  places = length - len(window) + 1
  band = np.zeros((places, length), np.float32)
  for offset, weight in enumerate(window):
    band[np.arange(places), np.arange(places) + offset] = weight
  return band


def ssim(
  a: chex.Array,
  b: chex.Array,
  *,
  window: str = "gaussian",
  size: int = 11,
  sigma: float = 1.5,
  sample_covariance: bool = False,
) -> jax.Array:
  """Structural similarity.

  Args:
    a: [B, H, W, C], H and W at least `size`.
    b: as `a`.
    window: "gaussian" (Wang et al.; width `sigma`) or "uniform".
    size: side of the window, odd.
    sigma: of the Gaussian.
    sample_covariance: n / (n - 1) instead of population (co)variances.

  Raises:
    ValueError: the window is larger than the picture, even, or not known.
  """
  a, b = _pair(a, b)
  _, h, w, _ = a.shape
  if size % 2 == 0 or size > min(h, w):
    raise ValueError(f"SSIM window {size} must be odd and fit into {h}x{w}")
  weights = _window(window, size, sigma)
  rows, columns = _band(h, weights), _band(w, weights)

  def smooth(x: jax.Array) -> jax.Array:
    # Full float32 also where accelerators multiply in bfloat16 or TF32: the
    # variances below are small differences of large numbers.
    return jnp.einsum(
      "ph,bhwc,qw->bpqc", rows, x, columns, precision=jax.lax.Precision.HIGHEST
    )

  # Around mid-grey the squares are a quarter as large: less cancellation.
  centre = _PEAK / 2
  a, b = a - centre, b - centre
  mean_a, mean_b = smooth(a), smooth(b)
  n = size * size
  norm = n / (n - 1) if sample_covariance else 1.0
  var_a = norm * (smooth(a * a) - mean_a**2)
  var_b = norm * (smooth(b * b) - mean_b**2)
  cov = norm * (smooth(a * b) - mean_a * mean_b)
  mean_a, mean_b = mean_a + centre, mean_b + centre
  c1, c2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
  luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
  structure = (2 * cov + c2) / (var_a + var_b + c2)
  return jnp.mean(luminance * structure, axis=(1, 2, 3))
