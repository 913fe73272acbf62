"""The asymmetric loss against its authors' PyTorch code."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.losses import classification
from tests.parity.golden import Golden

_MULTI = re.compile(
  r"loss/asl_(?:opt_)?gn([\d.]+)_gp([\d.]+)_clip([\d.]+)_(stopgrad|fullgrad)"
)
_SINGLE = re.compile(r"loss/single_eps([\d.]+)")


def asl_loss(golden: Golden) -> dict[str, Any]:
  """Values and gradients of every variant that the golden names."""
  logits = golden.input("in/logits")
  targets = golden.input("in/targets").astype(np.float32)
  labels = golden.input("in/single_targets")
  arrays: dict[str, Any] = {}

  def record(name: str, loss: Any, at: np.ndarray) -> None:
    value, gradient = jax.value_and_grad(lambda x: loss(x))(jnp.asarray(at))
    arrays[f"loss/{name}"] = value
    arrays[f"grad/{name}"] = gradient

  for key in golden.arrays:
    name = key.removeprefix("loss/")
    if found := _MULTI.fullmatch(key):
      negative, positive, margin = map(float, found.groups()[:3])
      record(
        name,
        lambda x, n=negative, p=positive, m=margin, s=found[4]: jnp.sum(
          classification.asymmetric_loss(
            x,
            targets,
            gamma_negative=n,
            gamma_positive=p,
            margin=m,
            stop_focus_gradient=s == "stopgrad",
          )
        ),
        logits,
      )
    elif found := _SINGLE.fullmatch(key):
      smoothing = float(found[1])
      record(
        name,
        lambda x, s=smoothing: jnp.mean(
          classification.single_label_asymmetric_loss(x, labels, smoothing=s)
        ),
        logits,
      )
  extreme = golden.input("in/extreme_logits")
  sides = np.zeros_like(extreme)
  sides[1] = 1
  record(
    "extreme",
    lambda x: jnp.sum(
      classification.asymmetric_loss(x, sides, gamma_positive=0.0)
    ),
    extreme,
  )
  return arrays
