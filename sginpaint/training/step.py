"""One training step, the same for every system.

The generator runs once. The discriminator is updated on its stopped outputs;
then the generator's terms are differentiated with respect to those outputs
against the *new* discriminator and pulled back through the generator.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from sginpaint.batch import Batch, normalize_image
from sginpaint.data import masks
from sginpaint.systems.base import Outputs, System, Terms, Variables
from sginpaint.training.state import Player, TrainState, stream_key

Weight = float | Sequence[Sequence[float]]
Metrics = dict[str, jax.Array]


def prepare_batch(
  batch: Batch, seed: int, step: jax.Array, mask_options: Mapping[str, Any]
) -> Batch:
  """Pictures to [-1, 1] and, unless the pipeline brought them, masks."""
  image = normalize_image(batch.image)
  mask = batch.mask
  if mask is None:
    key = stream_key(seed, "masks", step)
    b, h, w, _ = image.shape
    mask = masks.sample(key, (b, h, w), **mask_options)
  teacher_image = batch.teacher_image
  if teacher_image is not None:
    teacher_image = normalize_image(teacher_image)
  return batch.replace(image=image, mask=mask, teacher_image=teacher_image)


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


@dataclasses.dataclass(frozen=True, eq=False)  # jit hashes it: by identity
class TrainStep:
  """The step with what does not change bound to it, ready for `jax.jit`.

  Attributes:
    system: whose players are trained.
    optimizers: one per player.
    loss_weights: {player: {term: weight}}.
    mask_options: keyword arguments of `masks.sample`.
    seed: of masks and of the networks' own randomness.
    ema_decay: of the generator's running average, where the state has one.
  """

  system: System
  optimizers: Mapping[str, optax.GradientTransformation]
  loss_weights: Mapping[str, Mapping[str, Weight]]
  mask_options: Mapping[str, Any]
  seed: int
  ema_decay: float

  def __call__(
    self, state: TrainState, frozen: Mapping[str, Variables], batch: Batch
  ) -> tuple[TrainState, Metrics]:
    """One update of every player.

    Returns:
      The next state, and the scalars `loss/<player>`, `<player>/<term>` and
      `gradient_norm/<player>`.
    """
    batch = prepare_batch(batch, self.seed, state.step, self.mask_options)
    key = stream_key(self.seed, "step", state.step)
    g_key, d_key, terms_key = jax.random.split(key, 3)
    generator = state.generator

    def generate(params):
      variables = generator.replace(params=params).variables
      return self.system.generate(variables, frozen, batch, g_key, train=True)

    outputs, pull_back, collections = jax.vjp(
      generate, generator.params, has_aux=True
    )
    discriminator, metrics = self._update_discriminator(
      state, frozen, batch, jax.lax.stop_gradient(outputs), d_key
    )
    opponent = None if discriminator is None else discriminator.variables
    cotangents, d_collections, report = differentiate(
      lambda outputs: self.system.generator_terms(
        opponent, frozen, batch, outputs, terms_key, train=True
      ),
      outputs,
      self.loss_weights["generator"],
      state.step,
      "generator",
    )
    (grads,) = pull_back(cotangents)
    metrics |= report | grad_norm(grads, "generator")
    generator = update_player(
      generator, grads, collections, self.optimizers["generator"]
    )
    if discriminator is not None:
      discriminator = discriminator.replace(collections=dict(d_collections))
    ema = update_ema(state.ema, generator.params, self.ema_decay, state.step)
    return TrainState(state.step + 1, generator, discriminator, ema), metrics

  def _update_discriminator(
    self,
    state: TrainState,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
  ) -> tuple[Player | None, Metrics]:
    player = state.discriminator
    if player is None:
      return None, {}
    grads, collections, metrics = differentiate(
      lambda params: self.system.discriminator_terms(
        player.replace(params=params).variables,
        *(frozen, batch, outputs, key),
        train=True,
      ),
      player.params,
      self.loss_weights["discriminator"],
      state.step,
      "discriminator",
    )
    metrics |= grad_norm(grads, "discriminator")
    optimizer = self.optimizers["discriminator"]
    return update_player(player, grads, collections, optimizer), metrics


def differentiate(
  terms_of: Callable[[Any], tuple[Terms, Any]],
  argument: Any,
  weights: Mapping[str, Weight],
  step: jax.Array,
  player: str,
) -> tuple[Any, Any, Metrics]:
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


def update_player(
  player: Player,
  grads: Any,
  collections: Any,
  optimizer: optax.GradientTransformation,
) -> Player:
  """One optimiser step."""
  updates, opt_state = optimizer.update(grads, player.opt_state, player.params)
  params = optax.apply_updates(player.params, updates)
  return Player(params, dict(collections), opt_state)


def update_ema(ema: Any, params: Any, decay: float, step: jax.Array) -> Any:
  """decay * ema + (1 - decay) * params; None stays None.

  The decay rises to its value as (1 + step) / (10 + step), so that an average
  of few steps is not mostly the values at the start.
  """
  if ema is None:
    return None
  rising = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
  return optax.incremental_update(params, ema, 1.0 - rising)
