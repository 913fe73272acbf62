"""The step against a plain transcription of two optimisers' updates."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sginpaint.batch import Batch
from sginpaint.training.gradients import weight_at, weighted_sum
from sginpaint.training.state import create_train_state
from sginpaint.training.step import TrainStep
from tests.training.toy import ToySystem

WEIGHTS = {
  "generator": {"l1": 1.0, "game": 0.1},
  "discriminator": {"game": 1.0},
}


def make_batch(size=8, batch=4):
  image = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3))
  mask = np.zeros((batch, size, size, 1), np.float32)
  mask[:, 2:5, 2:5] = 1
  return Batch(image=image.astype(np.uint8), mask=mask)


def setup(
  rates=(1e-2, 1e-2),
  adversarial=True,
  ema_decay=0.9,
  system=None,
  size=8,
  **options,
):
  system = system or ToySystem.build(adversarial=adversarial)
  optimizers = {
    "generator": optax.sgd(rates[0]),
    "discriminator": optax.sgd(rates[1]),
  }
  example = Batch(
    image=jnp.zeros((1, size, size, 3)), mask=jnp.zeros((1, size, size, 1))
  )
  state = create_train_state(
    system, optimizers, example, seed=0, ema=ema_decay > 0
  )
  weights = WEIGHTS
  if not adversarial:
    weights = {"generator": {"l1": 1.0}, "discriminator": {}}
  step = TrainStep(
    system,
    optimizers,
    loss_weights=weights,
    mask_options={},
    seed=0,
    ema_decay=ema_decay,
    **options,
  )
  return system, state, step


def test_both_gradients_equal_a_plain_transcription():
  system, state, step = setup(rates=(0.1, 0.2))
  batch = make_batch()
  new, metrics = jax.jit(step)(state, {}, batch)
  seen = batch.replace(image=batch.image / 127.5 - 1.0)
  g, d = state.generator, state.discriminator

  def d_loss(params):
    outputs, _ = system.generate(g.variables, {}, seen, None, train=False)
    variables = {**d.variables, "params": params}
    terms, _ = system.discriminator_terms(
      variables, {}, seen, outputs, None, train=False
    )
    return terms["game"].mean()

  d_params = jax.tree.map(
    lambda p, grad: p - 0.2 * grad, d.params, jax.grad(d_loss)(d.params)
  )
  chex.assert_trees_all_close(new.discriminator.params, d_params, atol=1e-6)

  def g_loss(params):
    variables = {**g.variables, "params": params}
    outputs, _ = system.generate(variables, {}, seen, None, train=False)
    opponent = {**d.variables, "params": d_params}
    terms, _ = system.generator_terms(
      opponent, {}, seen, outputs, None, train=False
    )
    return terms["l1"].mean() + 0.1 * terms["game"].mean()

  loss, grads = jax.value_and_grad(g_loss)(g.params)
  g_params = jax.tree.map(lambda p, grad: p - 0.1 * grad, g.params, grads)
  chex.assert_trees_all_close(new.generator.params, g_params, atol=1e-6)
  np.testing.assert_allclose(metrics["loss/generator"], loss, rtol=1e-5)


def test_ema_is_a_running_average_of_the_new_params():
  _, state, step = setup()
  new, _ = jax.jit(step)(state, {}, make_batch())
  expected = jax.tree.map(
    lambda old, p: 0.1 * old + 0.9 * p, state.ema, new.generator.params
  )
  chex.assert_trees_all_close(new.ema, expected, atol=1e-7)
  late = jax.jit(step)(state.replace(step=jnp.asarray(1000)), {}, make_batch())
  expected = jax.tree.map(
    lambda old, p: 0.9 * old + 0.1 * p, state.ema, late[0].generator.params
  )
  chex.assert_trees_all_close(late[0].ema, expected, atol=1e-6)


def test_discriminator_sees_real_fake_and_generator_pass():
  _, state, step = setup()
  new, _ = jax.jit(step)(state, {}, make_batch())
  assert new.generator.collections["counter"]["calls"] == 1
  assert new.discriminator.collections["counter"]["calls"] == 3


def test_system_without_discriminator():
  _, state, step = setup(adversarial=False, ema_decay=0.0)
  new, metrics = jax.jit(step)(state, {}, make_batch())
  assert new.discriminator is None and new.ema is None
  assert set(metrics) == {
    "loss/generator",
    "generator/l1",
    "gradient_norm/generator",
  }


def test_loss_falls_on_one_batch_and_traces_once():
  _, state, bound = setup(rates=(0.5, 0.0))
  step = jax.jit(chex.assert_max_traces(lambda *args: bound(*args), n=1))
  batch, losses = make_batch(), []
  for _ in range(20):
    state, metrics = step(state, {}, batch)
    losses.append(float(metrics["generator/l1"]))
  assert losses[-1] < 0.8 * losses[0]


def test_masks_are_drawn_anew_each_step_and_again_alike():
  _, state, step = setup(rates=(0.0, 0.0))
  step = jax.jit(step)
  batch = make_batch().replace(mask=None)
  second, first_metrics = step(state, {}, batch)
  _, second_metrics = step(second, {}, batch)
  _, again = step(state, {}, batch)
  assert first_metrics["generator/l1"] == again["generator/l1"]
  assert first_metrics["generator/l1"] != second_metrics["generator/l1"]


def test_weight_schedule_by_hand():
  schedule = [[0, 1.0], [10, 0.25], [20, 0.0]]
  values = [float(weight_at(schedule, jnp.asarray(s))) for s in (0, 9, 10, 20)]
  assert values == [1.0, 1.0, 0.25, 0.0]


def test_misspelt_weight_raises():
  terms = {"image": jnp.ones(2)}
  with pytest.raises(ValueError, match="config.loss_weights.generator"):
    weighted_sum(
      terms, {"imgae": 1.0}, jnp.asarray(0), "config.loss_weights.generator"
    )
