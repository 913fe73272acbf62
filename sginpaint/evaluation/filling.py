"""The programs that fill the pictures of an evaluation.

A prediction is pasted into the hole of the true picture, rounded by each rule
that a protocol asks for (`measures.quantise`).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from sginpaint import scheduling
from sginpaint.batch import composite
from sginpaint.evaluation.measures import quantise
from sginpaint.evaluation.served import seen
from sginpaint.systems import System


def build_programs(
  system: System, rules: Sequence[str], wanted: Collection[str]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
  """`prepare` and `complete` of a system, compiled.

  Args:
    system: that fills.
    rules: by which predictions are rounded.
    wanted: names of outputs to hand back, where there are such.
  """

  def prepare(variables, frozen, truth, mask):
    return system.prepare(variables, frozen, seen(truth, mask))

  def complete(variables, frozen, truth, mask, guidance, prepared):
    results = system.complete(
      variables, frozen, seen(truth, mask, guidance), prepared
    )
    prediction = results["image"]
    fills = {
      rule: composite(quantise(prediction, rule), truth, mask) for rule in rules
    }
    finite = jnp.isfinite(prediction).all((1, 2, 3))
    return fills, finite, {n: x for n, x in results.items() if n in wanted}

  options = scheduling.for_memory()
  return (
    jax.jit(prepare, compiler_options=options),
    jax.jit(complete, compiler_options=options),
  )
