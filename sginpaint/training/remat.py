"""Less memory for more computation: `config.remat`.

What the generator computes on its way to the outputs is wanted again when its
gradient is pulled back, and kept until then, also while the discriminator and
the networks of the losses run. Instead it can be computed again:

- "convolutions" keeps the outputs of convolutions and matrix products alone.
  Norms, activations, paddings and concatenations are repeated, which costs
  little time.
- "blocks" keeps besides the outputs of the layers in `BLOCKS`, and nothing
  within them, whose convolutions are repeated.
- "generator" keeps nothing: a second generator pass. That helps where the
  networks of the losses need the most memory, not where the generator does.

Kept of SPL's generator at 256x256 for 8 pictures are 11.4 GiB, or 5.2 with
"convolutions" and 1.6 with "blocks"; of SGE-Net's 6.0, or 2.9 and 3.2; of
ESPA's 2.0, or 0.5 and 1.4 (stage 1), and 7.8, or 3.8 and 0.6 (stage 2).

No policy changes a number but by the order in which it is rounded. They apply
to every system as it is, for blocks are found while the network runs. On a CPU
they need XLA's schedule for memory: `compiler_options`.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax

from sginpaint import scheduling
from sginpaint.layers.encoder_decoder import Decoder, Encoder
from sginpaint.layers.normalization import SPADE
from sginpaint.layers.residual import (
  ResidualBlock,
  ResidualDenseBlock,
  SPADEResidualBlock,
  SPADEResNetBlock,
)

POLICIES = ("none", "convolutions", "blocks", "generator")
BLOCKS: tuple[type[nn.Module], ...] = (
  Decoder,
  Encoder,
  ResidualBlock,
  ResidualDenseBlock,
  SPADE,
  SPADEResidualBlock,
  SPADEResNetBlock,
)
# layers/convolution.py has gradients of its own: then its call has this name.
_PRODUCTS = ("conv_general_dilated", "dot_general", "custom_vjp_call")


def rematerialize(function: Callable[..., Any], policy: str) -> Callable:
  """`function`, which applies a generator, with less kept for its gradient.

  Args:
    function: of arrays.
    policy: of `POLICIES`.
  """
  if policy == "convolutions":
    return jax.checkpoint(function, policy=_is_product)
  if policy == "generator":
    return jax.checkpoint(function)
  if policy == "blocks":
    return _by_blocks(function)
  return function


def compiler_options(policy: str) -> dict[str, str] | None:
  """What XLA has to be told where a step is compiled under a policy.

  On a CPU it schedules for concurrency, and what is not kept saves nothing. For
  memory a step needs a quarter less, and up to half as much time again.
  """
  return None if policy == "none" else scheduling.for_memory()


def _is_product(primitive: Any, *_: Any, **parameters: Any) -> bool:
  if primitive.name == "dot_general":
    (contracted, _), _ = parameters["dimension_numbers"]
    return bool(contracted)  # without, it scales a map (SPL's region norm)
  return primitive.name in _PRODUCTS


def _by_blocks(function: Callable[..., Any]) -> Callable:
  def run(*args: Any) -> Any:
    with nn.intercept_methods(_Intercept()):
      return function(*args)

  return run


class _Intercept:
  """Wraps the calls of blocks in `nn.remat`, the outermost of nested ones."""

  def __init__(self) -> None:
    self._inside = False

  def __call__(
    self,
    call: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    context: nn.module.InterceptorContext,
  ) -> Any:
    is_block = isinstance(context.module, BLOCKS)
    if self._inside or not is_block or context.method_name != "__call__":
      return call(*args, **kwargs)

    def block(module: nn.Module, *arrays: Any) -> Any:
      with self._entered():
        return module(*arrays, **kwargs)

    return nn.remat(block)(context.module, *args)

  @contextlib.contextmanager
  def _entered(self) -> Iterator[None]:
    self._inside = True
    try:
      yield
    finally:
      self._inside = False
