"""A batch in parts teaches what the whole batch teaches."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.training import sharding
from sginpaint.training.accumulation import mean_over, split_batch
from tests.training.step_test import make_batch, setup


def steps(step, state, batch, *, count=3):
  step = jax.jit(step)
  for _ in range(count):
    state, metrics = step(state, {}, batch)
  return state, metrics


def test_four_parts_of_two_equal_a_batch_of_eight():
  _, state, whole = setup(rates=(0.1, 0.2))
  _, _, parts = setup(rates=(0.1, 0.2), accumulate=4)
  batch = make_batch(batch=8).replace(mask=None)
  expected, told = steps(whole, state, batch)
  found, metrics = steps(parts, state, batch)
  chex.assert_trees_all_close(
    (found.generator.params, found.discriminator.params, found.ema),
    (expected.generator.params, expected.discriminator.params, expected.ema),
    rtol=1e-5,
    atol=1e-7,
  )
  chex.assert_trees_all_close(metrics, told, rtol=1e-5)


def test_collections_take_one_step_however_many_parts():
  _, state, step = setup(accumulate=4)
  new, _ = jax.jit(step)(state, {}, make_batch(batch=8))
  assert new.generator.collections["counter"]["calls"] == 1
  assert new.discriminator.collections["counter"]["calls"] == 3


def test_system_without_discriminator():
  _, state, step = setup(adversarial=False, ema_decay=0.0, accumulate=2)
  new, _ = jax.jit(step)(state, {}, make_batch())
  assert new.discriminator is None


def test_each_part_takes_a_share_of_every_device():
  parts = split_batch(jnp.arange(12), parts=3, shards=2)
  np.testing.assert_array_equal(
    parts, [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
  )


def test_mean_over_by_hand():
  found = mean_over(
    lambda part, i: {"mean": part.mean(), "last": i}, jnp.array([[1.0], [5.0]])
  )
  assert found["mean"] == 3.0
  assert found["last"] == 1


def test_parts_that_the_devices_cannot_share_are_refused():
  mesh = sharding.make_mesh()
  sharding.check_batch_size(8 * mesh.size, mesh, parts=4)
  with pytest.raises(UserError, match="config.accumulate=3"):
    sharding.check_batch_size(8 * mesh.size, mesh, parts=3)
