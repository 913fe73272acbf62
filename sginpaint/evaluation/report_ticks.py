"""Where the axes of the report's plots have their lines."""

import math


def nice_ticks(low: float, high: float) -> list[float]:
  """Three to six round numbers; the first is not above `low`."""
  span = max(high - low, 1e-9)
  decade = 10.0 ** math.floor(math.log10(span))
  step = next(s for s in (0.2, 0.5, 1.0, 2.0, 5.0) if span <= 5 * s * decade)
  step *= decade
  first = math.floor(low / step)
  last = math.floor(high / step)
  return [round(i * step, 10) for i in range(first, last + 1)]
