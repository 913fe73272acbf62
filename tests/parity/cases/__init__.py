"""Every case that can be run: {name: function of a golden to its arrays}."""

from collections.abc import Callable
from typing import Any

from tests.parity.cases.losses import asl_loss
from tests.parity.cases.metrics import metrics_image
from tests.parity.cases.primitives import torch_primitives
from tests.parity.cases.spl_discriminator import spl_discriminator
from tests.parity.cases.spl_generator import spl_generator
from tests.parity.cases.spl_norms import spl_norms
from tests.parity.golden import Golden

CASES: dict[str, Callable[[Golden], dict[str, Any]]] = {
  case.__name__: case
  for case in (
    asl_loss,
    metrics_image,
    spl_discriminator,
    spl_generator,
    spl_norms,
    torch_primitives,
  )
}
