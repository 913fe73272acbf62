"""How far apart two sets of pictures are, by their features.

Features are float [N, D], one row per picture, from whatever network. Nothing
here runs a network or knows which one it was. Everything is float64 on the
host: the distances are small differences of large numbers.

- FID (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS
  2017, eq. 6): distance of two normal distributions.
- KID (Binkowski et al., "Demystifying MMD GANs", ICLR 2018): unbiased estimate
  of a kernel's distance; small sets are noisy, but not biased.
- U-IDS and P-IDS (Zhao et al., "Large Scale Image Completion via Co-Modulated
  Generative Adversarial Networks", ICLR 2021, section 4): how often the best
  plane between the sets errs, and how often it takes the filled picture for
  more real than the very picture it was made from.
"""

import dataclasses
import functools
from typing import NamedTuple

import chex
import numpy as np

_SUBSETS = 100
_SUBSET_SIZE = 1000
_NEWTON_STEPS = 100


@dataclasses.dataclass(frozen=True)
class Moments:
  """Mean and scatter of a set of features; sets can be added up.

  Attributes:
    count: number of rows.
    mean: float64 [D].
    scatter: float64 [D, D], sum of the outer products of the centred rows.
  """

  count: int
  mean: np.ndarray
  scatter: np.ndarray

  @classmethod
  def of(cls, features: chex.Array) -> "Moments":
    """Of [N, D], N at least 1."""
    chex.assert_rank(features, 2)
    rows = np.asarray(features, np.float64)
    mean = rows.mean(axis=0)
    centred = rows - mean
    return cls(len(rows), mean, centred.T @ centred)

  def merge(self, other: "Moments") -> "Moments":
    """Of both sets together (Chan et al. 1979), without cancellation."""
    count = self.count + other.count
    step = other.mean - self.mean
    return Moments(
      count,
      self.mean + step * (other.count / count),
      self.scatter
      + other.scatter
      + np.outer(step, step) * (self.count * other.count / count),
    )

  @property
  def covariance(self) -> np.ndarray:
    """float64 [D, D], divided by N - 1; ValueError for a single row."""
    if self.count < 2:
      raise ValueError("a covariance needs at least two rows")
    return self.scatter / (self.count - 1)

  @functools.cached_property
  def root(self) -> np.ndarray:
    """The symmetric root of the covariance; kept, for it takes seconds."""
    values, vectors = np.linalg.eigh(self.covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def frechet_distance(a: Moments, b: Moments) -> float:
  """|mean_a - mean_b|^2 + trace(A + B - 2 (A B)^(1/2)).

  A B has the eigenvalues of A^(1/2) B A^(1/2), which is symmetric: no complex
  root is taken, and singular covariances (fewer pictures than features) need
  no constant added.

  Args:
    a: of at least two rows; its root is kept for the next call.
    b: as `a`.

  Raises:
    ValueError: a set has fewer than two rows.
  """
  cov_a, cov_b = a.covariance, b.covariance
  values = np.linalg.eigvalsh(a.root @ cov_b @ a.root)
  cross = np.sqrt(np.maximum(values, 0.0)).sum()
  step = a.mean - b.mean
  return float(step @ step + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def kernel_distance(a: chex.Array, b: chex.Array, *, seed: int = 0) -> float:
  """KID: squared maximum mean discrepancy under (x . y / D + 1)^3.

  The unbiased estimate, hence negative at times, averaged over 100 subsets of
  1000 rows each, drawn without replacement; one subset, all rows, where that
  is no smaller than both sets.

  Args:
    a: [N, D], N at least 2.
    b: [M, D], M at least 2.
    seed: of the subsets.

  Raises:
    ValueError: a set has fewer than two rows.
  """
  chex.assert_rank([a, b], 2)
  sets = [np.asarray(x, np.float64) for x in (a, b)]
  size = min(_SUBSET_SIZE, *map(len, sets))
  if size < 2:
    raise ValueError("a kernel distance needs at least two rows in both sets")
  rng = np.random.default_rng(seed)
  whole = size == max(map(len, sets))
  estimates = []
  for _ in range(1 if whole else _SUBSETS):
    x, y = (rows[rng.permutation(len(rows))[:size]] for rows in sets)
    inside = sum(_off_diagonal_mean(_kernel(rows, rows)) for rows in (x, y))
    estimates.append(inside - 2 * _kernel(x, y).mean())
  return float(np.mean(estimates))


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  return (x @ y.T / x.shape[1] + 1.0) ** 3


def _off_diagonal_mean(matrix: np.ndarray) -> float:
  n = len(matrix)
  return (matrix.sum() - np.trace(matrix)) / (n * (n - 1))


class Separability(NamedTuple):
  """Shares in [0, 1]; higher is better, 0.5 is indistinguishable.

  Attributes:
    u_ids: of all pictures, those on the wrong side of the plane.
    p_ids: of all pairs, those whose fake lies further on the real side.
  """

  u_ids: float
  p_ids: float


def separability(real: chex.Array, fake: chex.Array) -> Separability:
  """U-IDS and P-IDS.

  Args:
    real: [N, D].
    fake: [N, D]; row i was made from row i of `real`.
  """
  chex.assert_rank([real, fake], 2)
  chex.assert_equal_shape([real, fake])
  rows = np.concatenate([real, fake]).astype(np.float64)
  signs = np.repeat([1.0, -1.0], len(real))
  plane = separating_plane(rows, signs)
  score = rows @ plane[:-1] + plane[-1]
  ahead = score[len(real) :] > score[: len(real)]
  return Separability(
    u_ids=float(np.mean((score > 0) != (signs > 0))),
    p_ids=float(np.mean(ahead)),
  )


def separating_plane(rows: np.ndarray, signs: np.ndarray) -> np.ndarray:
  """A linear support vector machine with squared hinge, C = 1.

  The minimum of |w|^2 / 2 + sum max(0, 1 - sign (w . (x, 1)))^2, which is what
  scikit-learn's LinearSVC (the paper's) seeks with its default settings, where
  the offset is a weight among the others. Newton's method on the rows within
  the margin (Chapelle, "Training a Support Vector Machine in the Primal",
  Neural Computation 2007, section 4) finds it to rounding.

  Args:
    rows: float64 [N, D].
    signs: float64 [N], 1 or -1.

  Returns:
    float64 [D + 1], the offset last.
  """
  x = np.concatenate([rows, np.ones((len(rows), 1))], axis=1) * signs[:, None]

  def cost(w: np.ndarray) -> float:
    return w @ w / 2 + np.sum(np.maximum(0.0, 1.0 - x @ w) ** 2)

  w = np.zeros(x.shape[1])
  for _ in range(_NEWTON_STEPS):
    near = x[x @ w < 1.0]
    gradient = w - 2 * near.T @ (1.0 - near @ w)
    step = _solve(near, gradient)
    decrease, factor, here = gradient @ step, 1.0, cost(w)
    if decrease <= 1e-12 * max(here, 1.0):
      break
    # A full step may leap over rows whose side of the margin changes.
    while cost(w - factor * step) > here - 1e-4 * factor * decrease:
      factor /= 2
    w = w - factor * step
  return w


def _solve(near: np.ndarray, gradient: np.ndarray) -> np.ndarray:
  """(1 + 2 near^T near)^-1 gradient, by the smaller of two systems."""
  rows, columns = near.shape
  if columns <= rows:
    return np.linalg.solve(np.eye(columns) + 2 * near.T @ near, gradient)
  inner = np.linalg.solve(np.eye(rows) / 2 + near @ near.T, near @ gradient)
  return gradient - near.T @ inner
