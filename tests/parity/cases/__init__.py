"""Every case that can be run: {name: function of a golden to its arrays}."""

from collections.abc import Callable
from typing import Any

from tests.parity.cases import losses, metrics, primitives, spl, spl_norms
from tests.parity.golden import Golden

CASES: dict[str, Callable[[Golden], dict[str, Any]]] = {
  "asl_loss": losses.asl_loss,
  "metrics_image": metrics.metrics_image,
  "spl_discriminator": spl.spl_discriminator,
  "spl_generator": spl.spl_generator,
  "spl_norms": spl_norms.spl_norms,
  "torch_primitives": primitives.torch_primitives,
}
