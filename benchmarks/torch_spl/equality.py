"""That both sides compute the same: forward pass, losses, gradients."""

from typing import Any

import numpy as np

from benchmarks.torch_spl import inputs, theirs
from benchmarks.torch_spl.ours import build_ours, gradients_of, predict
from benchmarks.torch_spl.training import MODES
from sginpaint.errors import UserError

# Shallow and narrow, but with every kind of layer; float32 on both sides.
_SMALL = {"size": 32, "width": 8, "batch_size": 2, "dtype": "float32"}
_SHALLOW = {
  "blocks": 2,
  "dense_blocks": 2,
  "residual_blocks": 2,
  "prior_channels": 6,
}

# Largest differences: of outputs in [-1, 1]; of losses, relative; of gradients,
# relative to the largest value of the same tensor or, where that is smaller, to
# a thousandth of the largest of all.
TOLERANCE = {"forward": 1e-4, "losses": 1e-4, "gradients": 5e-3}


def compare() -> dict[str, float]:
  """Runs one step on both sides from the same weights.

  Returns:
    The largest differences, named and measured as `TOLERANCE`.

  Raises:
    UserError: one exceeds its tolerance; what is timed would not be equal.
  """
  config = inputs.spl_config(depth=_SHALLOW, **_SMALL)
  batch = inputs.numpy_batch(config)
  trainer = theirs.build_trainer(config, MODES["eager"])
  ours = build_ours(config, trainer.weights(), batch)
  image = trainer.put(batch["image"])
  mask, teacher = trainer.put(batch["mask"]), trainer.put(batch["teacher"])
  expected = trainer.predict(image.float() / 127.5 - 1.0, mask)
  forward = [
    np.max(np.abs(np.asarray(a) - np.moveaxis(b.cpu().numpy(), 1, -1)))
    for a, b in zip(predict(ours), expected, strict=True)
  ]
  losses = trainer.step(image, mask, teacher)
  metrics = ours.step()
  differences = {
    "forward": float(max(forward)),
    "losses": _losses(metrics, losses),
    "gradients": _gradients(gradients_of(ours), trainer.gradients()),
  }
  for name, value in differences.items():
    if not value <= TOLERANCE[name]:
      raise UserError(
        f"{name} of both sides differ by {value:.2g}, more than "
        f"{TOLERANCE[name]:.2g}; what is timed would not be the same network"
      )
  return differences


def _losses(ours: Any, theirs: Any) -> float:
  values = {name: (float(ours[name]), float(theirs[name])) for name in theirs}
  return max(abs(a - b) / max(abs(b), 1e-6) for a, b in values.values())


def _gradients(ours: Any, theirs: Any) -> float:
  worst = 0.0
  for player, tensors in theirs.items():
    if set(tensors) != set(ours[player]):
      raise UserError(f"the parameters of both {player}s have other names")
    largest = max(np.max(np.abs(value)) for value in tensors.values())
    for name, value in tensors.items():
      scale = max(np.max(np.abs(value)), 1e-3 * largest)
      worst = max(worst, np.max(np.abs(ours[player][name] - value)) / scale)
  return float(worst)
