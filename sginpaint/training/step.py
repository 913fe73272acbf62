"""One training step, the same for every system.

The generator runs once. The discriminator is updated on its stopped outputs;
then the generator's terms are differentiated with respect to those outputs
against the *new* discriminator and pulled back through the generator. With
accumulation the generator runs once more, for the discriminator's gradients
are summed over all parts of the batch first.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from sginpaint.batch import Batch, normalize_image
from sginpaint.data import masks
from sginpaint.systems.base import Outputs, System, Variables
from sginpaint.training.accumulation import mean_over, split_batch
from sginpaint.training.gradients import (
  Found,
  Metrics,
  Weight,
  differentiate,
  grad_norm,
)
from sginpaint.training.remat import rematerialize
from sginpaint.training.state import Player, TrainState, stream_key


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
    accumulate: parts that the batch is cut into; each player's gradients are
      summed over them in a scan of its own. The masks are those of the whole
      batch; what a network draws itself (dropout) depends on the cut.
    shards: devices that the batch is split over.
    remat: policy of `remat.py`.
  """

  system: System
  optimizers: Mapping[str, optax.GradientTransformation]
  loss_weights: Mapping[str, Mapping[str, Weight]]
  mask_options: Mapping[str, Any]
  seed: int
  ema_decay: float
  accumulate: int = 1
  shards: int = 1
  remat: str = "none"

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
    play = self._play if self.accumulate == 1 else self._play_in_parts
    generator, discriminator, metrics = play(state, frozen, batch, key)
    ema = update_ema(state.ema, generator.params, self.ema_decay, state.step)
    return TrainState(state.step + 1, generator, discriminator, ema), metrics

  def _play(
    self,
    state: TrainState,
    frozen: Mapping[str, Variables],
    batch: Batch,
    key: jax.Array,
  ) -> tuple[Player, Player | None, Metrics]:
    """Both updates, with one pass of the generator."""
    g_key, d_key, terms_key = jax.random.split(key, 3)
    outputs, pull_back, collections = self._generate(
      state, frozen, batch, g_key
    )
    discriminator, metrics = state.discriminator, Metrics()
    if discriminator is not None:
      discriminator, metrics = self._learn(
        discriminator,
        self._discriminator_gradients(state, frozen, batch, outputs, d_key),
        "discriminator",
      )
    cotangents, d_collections, report = self._output_gradients(
      *(state.step, discriminator, frozen, batch, outputs, terms_key)
    )
    (grads,) = pull_back(cotangents)
    generator, learnt = self._learn(
      state.generator, (grads, collections, report), "generator"
    )
    if discriminator is not None:
      discriminator = discriminator.replace(collections=dict(d_collections))
    return generator, discriminator, metrics | learnt

  def _play_in_parts(
    self,
    state: TrainState,
    frozen: Mapping[str, Variables],
    batch: Batch,
    key: jax.Array,
  ) -> tuple[Player, Player | None, Metrics]:
    """Both updates, each from the mean of its gradients over the parts."""
    parts = split_batch(batch, parts=self.accumulate, shards=self.shards)

    def judge(batch: Batch, index: jax.Array) -> Found:
      g_key, d_key, _ = jax.random.split(jax.random.fold_in(key, index), 3)
      outputs, _ = self.system.generate(
        state.generator.variables, frozen, batch, g_key, train=True
      )
      return self._discriminator_gradients(state, frozen, batch, outputs, d_key)

    discriminator, metrics = state.discriminator, Metrics()
    if discriminator is not None:
      discriminator, metrics = self._learn(
        discriminator, mean_over(judge, parts), "discriminator"
      )

    def make(batch: Batch, index: jax.Array) -> tuple[Found, Any]:
      g_key, _, key_of_terms = jax.random.split(
        jax.random.fold_in(key, index), 3
      )
      outputs, pull_back, collections = self._generate(
        state, frozen, batch, g_key
      )
      cotangents, d_collections, report = self._output_gradients(
        *(state.step, discriminator, frozen, batch, outputs, key_of_terms)
      )
      (grads,) = pull_back(cotangents)
      return (grads, dict(collections), report), dict(d_collections)

    found, d_collections = mean_over(make, parts)
    generator, learnt = self._learn(state.generator, found, "generator")
    if discriminator is not None:
      discriminator = discriminator.replace(collections=d_collections)
    return generator, discriminator, metrics | learnt

  def _generate(
    self,
    state: TrainState,
    frozen: Mapping[str, Variables],
    batch: Batch,
    key: jax.Array,
  ) -> tuple[Outputs, Callable[[Outputs], Any], Any]:
    """(outputs, their gradients -> those of the params, collections)."""

    def generate(params: Any) -> tuple[Outputs, Any]:
      variables = state.generator.replace(params=params).variables
      return self.system.generate(variables, frozen, batch, key, train=True)

    return jax.vjp(
      rematerialize(generate, self.remat),
      state.generator.params,
      has_aux=True,
    )

  def _output_gradients(
    self,
    step: jax.Array,
    opponent: Player | None,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
  ) -> Found:
    """Of the generator's terms, with respect to what it put out."""
    variables = None if opponent is None else opponent.variables
    return differentiate(
      lambda outputs: self.system.generator_terms(
        variables, frozen, batch, outputs, key, train=True
      ),
      outputs,
      self.loss_weights["generator"],
      step,
      "generator",
    )

  def _discriminator_gradients(
    self,
    state: TrainState,
    frozen: Mapping[str, Variables],
    batch: Batch,
    outputs: Outputs,
    key: jax.Array,
  ) -> Found:
    player = state.discriminator
    assert player is not None
    stopped = jax.lax.stop_gradient(outputs)
    grads, collections, report = differentiate(
      lambda params: self.system.discriminator_terms(
        player.replace(params=params).variables,
        *(frozen, batch, stopped, key),
        train=True,
      ),
      player.params,
      self.loss_weights["discriminator"],
      state.step,
      "discriminator",
    )
    return grads, dict(collections), report

  def _learn(
    self, player: Player, found: Found, name: str
  ) -> tuple[Player, Metrics]:
    """One optimiser step with (gradients, collections, metrics)."""
    grads, collections, report = found
    metrics = report | grad_norm(grads, name)
    new = update_player(player, grads, collections, self.optimizers[name])
    return new, metrics


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
  # Put so that the average of what stays (ESPA's autoencoder in stage 2) is
  # that to the last bit.
  return jax.tree.map(lambda e, p: e + (1.0 - rising) * (p - e), ema, params)
