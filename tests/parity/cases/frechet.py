"""The Frechet distance against pytorch-fid."""

import re
from typing import Any

from sginpaint.evaluation.distributions import Moments, frechet_distance
from tests.parity.golden import Golden

_SET = "(few_[a-z]|[a-z])"
_KEY = re.compile(f"out/(?:frechet|eigen)_{_SET}_{_SET}")


def metrics_frechet(golden: Golden) -> dict[str, Any]:
  """Moments, and the distance of every pair that the golden names."""

  def moments(name: str) -> Moments:
    return Moments.of(golden.input(f"in/features_{name}"))

  arrays: dict[str, Any] = {
    "mid/mean_a": moments("a").mean,
    "mid/cov_a": moments("a").covariance,
  }
  for key in golden.arrays:
    if found := _KEY.fullmatch(key):
      first, second = found.groups()
      arrays[key] = frechet_distance(moments(first), moments(second))
  return arrays
