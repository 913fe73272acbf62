"""What is random in training batches: a pure function of (seed, position)."""

import functools

import numpy as np

from sginpaint.data.example_maker import CHANCES, Wanted


class Shuffled:
  """Endless examples of a split; every epoch is another permutation.

  The numbers of position p are row p of an endless table that has no state.
  """

  def __init__(self, count: int, seed: int):
    self._count, self._seed = count, seed
    self._permutation = functools.lru_cache(maxsize=2)(self._shuffle)

  def __getitem__(self, positions: range) -> list[Wanted]:
    return list(
      map(Wanted, self._indices(positions), self.chances(positions).tolist())
    )

  def chances(self, positions: range) -> np.ndarray:
    """float64 [n, CHANCES] in [0, 1)."""
    # One count of Philox makes four numbers.
    numbers = np.random.Philox(key=self._seed, counter=positions.start)
    return np.random.Generator(numbers).random((len(positions), CHANCES))

  def _indices(self, positions: range) -> list[int]:
    start, stop, count = positions.start, positions.stop, self._count
    indices: list[int] = []
    for epoch in range(start // count, -(-stop // count)):
      first = epoch * count
      own = slice(max(start - first, 0), stop - first)
      indices += self._permutation(epoch)[own].tolist()
    return indices

  def _shuffle(self, epoch: int) -> np.ndarray:
    # Grain's shuffling, which holds no permutation, takes 4 to 80 us an index:
    # the fewer there are, the longer. This takes 0.1 us, and 4 bytes.
    generator = np.random.default_rng((self._seed, epoch))
    return generator.permutation(np.arange(self._count, dtype=np.int32))
