"""A player's loss and its gradient, from terms per example and weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from sginpaint.systems.base import Terms

Weight = float | Sequence[Sequence[float]]
Metrics = dict[str, jax.Array]
Found = tuple[Any, Any, Metrics]  # gradients, collections, scalars


def weighted_sum(
  terms: Terms, weights: Mapping[str, Weight], step: jax.Array, where: str
) -> tuple[jax.Array, Metrics]:
  """The loss, and every term's mean under its own name.

  Args:
    terms: {name: [B]}.
    weights: {name: weight or [[from step, weight], ...]}.
    step: number of finished steps.
    where: config path that is named in the error.

  Raises:
    ValueError: the names differ; a misspelt weight must not mean zero.
  """
  if set(terms) != set(weights):
    raise ValueError(
      f"{where} names {sorted(weights)} but the terms are {sorted(terms)}"
    )
  means = {name: jnp.mean(term) for name, term in terms.items()}
  loss = jnp.zeros(())
  for name, mean in means.items():
    loss += weight_at(weights[name], step) * mean
  return loss, means


def weight_at(weight: Weight, step: jax.Array) -> jax.Array | float:
  """The weight in force at a step."""
  if isinstance(weight, (int, float)):
    return weight
  value = jnp.zeros(())
  for begin, w in weight:
    value = jnp.where(step >= begin, w, value)
  return value


def differentiate(
  terms_of: Callable[[Any], tuple[Terms, Any]],
  argument: Any,
  weights: Mapping[str, Weight],
  step: jax.Array,
  player: str,
) -> Found:
  """Gradient of the weighted sum of a player's terms.

  Args:
    terms_of: argument -> (terms, collections).
    argument: what to differentiate with respect to.
    weights: of the player's terms.
    step: number of finished steps.
    player: names the metrics.

  Returns:
    (gradient, collections, `loss/<player>` and `<player>/<term>`).
  """

  def loss_of(argument):
    terms, collections = terms_of(argument)
    loss, means = weighted_sum(
      terms, weights, step, f"config.loss_weights.{player}"
    )
    return loss, (means, collections)

  (loss, (means, collections)), grads = jax.value_and_grad(
    loss_of, has_aux=True
  )(argument)
  report = {f"loss/{player}": loss}
  report |= {f"{player}/{name}": mean for name, mean in means.items()}
  return grads, collections, report


def grad_norm(grads: Any, player: str) -> Metrics:
  """L2 norm over all of a player's gradients."""
  return {f"gradient_norm/{player}": optax.tree.norm(grads)}
