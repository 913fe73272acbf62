"""Evaluates systems that name attributes instead of painting pictures.

Scores: mean average precision over attributes, and accuracy at probability
0.5 over all known entries. The baseline `prevalence` gives every picture the
same scores: each attribute's share of the split.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from sginpaint.batch import Batch, normalize_image
from sginpaint.checkpoints import Loaded
from sginpaint.data.pipeline import evaluation_batches
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation import provenance
from sginpaint.evaluation.classification import mean_average_precision
from sginpaint.evaluation.results import csv_text
from sginpaint.files import write_atomically, write_json


def evaluate_classifier(
  loaded: Loaded, split: Split, *, output_dir: str | Path, weights: str = "ema"
) -> dict[str, Any]:
  """Writes metrics.json and per_image.csv.

  Args:
    loaded: a checkpoint whose `predict` gives `attribute_logits`.
    split: with the attributes that it was trained on.
    output_dir: made where it does not exist.
    weights: which weights `loaded` holds, for the record.

  Returns:
    The contents of metrics.json.

  Raises:
    UserError: the split has other attributes.
  """
  config = loaded.config
  if tuple(split.attributes) != tuple(config.data.attributes):
    raise UserError(
      f"split {split.name} has the attributes {', '.join(split.attributes)}; "
      f"the checkpoint knows {', '.join(config.data.attributes)}"
    )
  logits, targets, indices = _logits(loaded, split, config)
  shares = np.nan_to_num(np.nanmean(targets, axis=0), nan=0.5)
  constant = np.broadcast_to(
    np.log((shares + 1e-9) / (1 - shares + 1e-9)), targets.shape
  )
  scores, per_attribute = _scores(logits, targets)
  metrics = {
    "protocol": "classification",
    "step": loaded.step,
    "count": len(targets),
    "masks": "none",
    "guidance": "none",
    "metrics": {"all": scores},
    "baselines": {"prevalence": {"all": _scores(constant, targets)[0]}},
    "attributes": dict(zip(split.attributes, per_attribute, strict=True)),
    "provenance": provenance.describe(loaded, split, weights),
  }
  output = Path(output_dir)
  write_atomically(
    output / "per_image.csv", _csv(split, indices, logits, targets)
  )
  write_json(output / "metrics.json", metrics)
  return metrics


def _logits(
  loaded: Loaded, split: Split, config: ConfigDict
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Logits [N, A], targets [N, A] and indices [N] of the split."""

  @jax.jit
  def predict(variables, frozen, image):
    batch = Batch(image=normalize_image(image))
    return loaded.system.predict(variables, frozen, batch)["attribute_logits"]

  count = config.eval.count or len(split)
  found = []
  with evaluation_batches(
    split,
    batch_size=config.eval.batch_size,
    image_size=config.data.image_size,
    resize=config.data.resize,
    crop_size=config.data.crop_size,
    threads=config.data.threads,
    indices=range(min(count, len(split))),
  ) as batches:
    for batch in batches:
      logits = predict(loaded.variables, loaded.frozen, batch.image)
      columns = (logits, batch.attributes, batch.index)
      valid = np.asarray(batch.valid)
      found.append([np.asarray(column)[valid] for column in columns])
  logits, targets, indices = map(np.concatenate, zip(*found, strict=True))
  return logits, targets, indices


def _scores(
  logits: np.ndarray, targets: np.ndarray
) -> tuple[dict[str, float], list[float | None]]:
  """{"count", "map", "accuracy"} and the average precision per attribute."""
  mean, per_attribute = mean_average_precision(logits, targets)
  known = ~np.isnan(targets)
  right = ((logits > 0) == (targets > 0.5))[known].mean()
  scores = {"count": len(targets), "map": mean, "accuracy": float(right)}
  named = [None if np.isnan(p) else float(p) for p in per_attribute]
  return scores, named


def _csv(
  split: Split, indices: np.ndarray, logits: np.ndarray, targets: np.ndarray
) -> str:
  """index, image, then the logit of each attribute and its truth."""
  names, ids = split.attributes, split.ids
  table = [["index", "image", *names, *(f"true_{name}" for name in names)]]
  for index, scores, truth in zip(indices, logits, targets, strict=True):
    known = ["" if np.isnan(t) else f"{t:g}" for t in truth]
    table.append(
      [str(index), ids[index], *(f"{s:.4f}" for s in scores), *known]
    )
  return csv_text(table)
