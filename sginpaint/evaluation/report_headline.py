"""The card of a checkpoint: its leading score and what that is worth."""

import html
import math

import numpy as np

from sginpaint.evaluation.intervals import mean_interval
from sginpaint.evaluation.report_methods import Method, label, signed
from sginpaint.evaluation.results import (
  ALL,
  LEADING,
  SYSTEM,
  Evaluation,
  best_baseline,
)


def paired_gain(
  evaluation: Evaluation, baseline: str, measure: str
) -> tuple[float, float, float]:
  """How much better than a baseline, picture by picture.

  Returns:
    (mean difference, half width of its 95 % interval, share of pictures where
    the system is ahead); NaN width for a single picture.
  """
  gains = np.array(
    [
      row.scores[SYSTEM][measure] - row.scores[baseline][measure]
      for row in evaluation.rows
    ]
  )
  gains = gains[~np.isnan(gains)]
  interval = mean_interval(gains)
  width = (interval[1] - interval[0]) / 2 if interval else math.nan
  return float(gains.mean()), width, float((gains > 0).mean())


def headline(evaluation: Evaluation, method: Method) -> str:
  """A card: the leading score and what it is worth."""
  score = method.buckets[ALL].get(LEADING)
  if score is None:
    return ""
  parts = [
    f'<div class="card"><h3><span class="dot" style="background:'
    f'{method.color}"></span>{method.name}</h3>',
    f'<div class="big">{score:.2f} <span class="unit">dB in the hole</span>'
    "</div>",
  ]
  baseline = best_baseline(evaluation.metrics, LEADING)
  if baseline:
    gain, width, ahead = paired_gain(evaluation, baseline, LEADING)
    css = "up" if gain > 0 else "down"
    difference = signed(gain, 2)
    spread = "" if math.isnan(width) else f" &plusmn; {width:.2f}"
    parts.append(
      f'<p><span class="{css}">{difference} dB</span>{spread} against '
      f"{label(baseline)}, the best baseline; ahead on {ahead:.0%} of the "
      "pictures</p>"
    )
  if evaluation.description:
    parts.append(f"<p>{html.escape(evaluation.description)}</p>")
  return "".join(parts) + "</div>"
