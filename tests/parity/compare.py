"""Compares what a case computed with its golden arrays."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.parity.golden import Golden

# A distance of something to itself is stored as float64 left it, 1e-14 or so.
_ZERO = 1e-9


@dataclasses.dataclass(frozen=True)
class Result:
  """Verdict on one case.

  Attributes:
    case: its name.
    compared: number of arrays compared.
    worst: largest error as a share of what is allowed.
    worst_key: the array where it was.
    problems: everything that makes the case fail.
  """

  case: str
  compared: int
  worst: float
  worst_key: str
  problems: tuple[str, ...]

  @property
  def passed(self) -> bool:
    return self.compared > 0 and not self.problems

  def line(self) -> str:
    """One line for a person."""
    verdict = "ok" if self.passed else "FAIL"
    text = (
      f"{self.case:20} {self.compared:4} arrays  worst {self.worst:8.2e} of "
      f"its suggest ({self.worst_key})  {verdict}"
    )
    shown = self.problems[:8]
    more = len(self.problems) - len(shown)
    lines = [text, *(f"  {problem}" for problem in shown)]
    return "\n".join(lines + ([f"  and {more} more"] if more else []))


def compare(golden: Golden, computed: Mapping[str, Any]) -> Result:
  """Every array of the golden must have been computed and lie within bounds.

  Args:
    golden: the case.
    computed: {key: full array in the reference's layout}.

  Returns:
    The verdict; nothing is raised for a wrong value.
  """
  problems, worst, worst_key, compared = [], 0.0, "-", 0
  for key, entry in golden.arrays.items():
    if key not in computed:
      problems.append(f"{key}: not computed")
      continue
    mine = np.asarray(computed[key])
    if list(mine.shape) != entry["full_shape"]:
      problems.append(f"{key}: {mine.shape}, expected {entry['full_shape']}")
      continue
    thinned = mine[tuple(slice(*s) for s in entry["slice"])]
    share = _error(thinned, golden.stored[key], entry)
    compared += 1
    # Not `share > 1`: a NaN must fail.
    if not share <= 1:
      problems.append(f"{key}: error is {share:.3g} times what is allowed")
    if not share <= worst:
      worst, worst_key = share, key
  return Result(golden.name, compared, worst, worst_key, tuple(problems))


def _error(
  mine: np.ndarray, theirs: np.ndarray, entry: Mapping[str, Any]
) -> float:
  """Error divided by the tolerance."""
  if mine.shape != theirs.shape:
    return float("inf")
  if np.issubdtype(theirs.dtype, np.integer):
    # Rule of masks, indices and 8-bit pictures: all equal, or fail.
    return 0.0 if np.array_equal(mine, theirs) else float("inf")
  difference = mine.astype(np.float64) - theirs.astype(np.float64)
  suggest = entry.get("suggest", {})
  if "rel_l2" in suggest:
    norm = max(float(np.linalg.norm(theirs.astype(np.float64))), 1e-30)
    return float(np.linalg.norm(difference)) / norm / suggest["rel_l2"]
  return float(np.max(np.abs(difference), initial=0.0)) / _atol(entry)


def _atol(entry: Mapping[str, Any]) -> float:
  suggest = entry.get("suggest", {})
  if "atol" in suggest:
    return suggest["atol"]
  # No suggestion: twenty times what float32 cost the reference, or what float32
  # can do: scores are means of many pixels, hence better than a single one.
  relative = 1e-5 if len(entry["full_shape"]) < 2 else 1e-4
  own = 20 * entry.get("f32_f64_maxabs", 0.0)
  return max(own, relative * entry["max_abs"], _ZERO)
