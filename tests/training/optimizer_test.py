"""Schedules by hand, held submodules, clipping."""

import jax.numpy as jnp
import numpy as np
import pytest

from configs import common
from sginpaint.errors import UserError
from sginpaint.training.optimizer import (
  build_optimizers,
  build_schedule,
  check_held,
)


def config(**fields):
  c = common.get_config().optimizer
  c.update(fields)
  return c


@pytest.mark.parametrize(
  "fields, expected",
  [
    ({"schedule": "constant"}, {0: 1.0, 99: 1.0}),
    (
      {"schedule": "steps", "boundaries": (50, 80), "decay": 0.1},
      {49: 1.0, 51: 0.1, 81: 0.01},
    ),
    ({"schedule": "linear"}, {50: 1.0, 75: 0.5, 100: 0.0}),
    ({"schedule": "cosine"}, {0: 1.0, 50: 0.5, 100: 0.0}),
    ({"schedule": "constant", "warmup": 10}, {0: 0.0, 5: 0.5, 10: 1.0}),
    (
      {"schedule": "steps", "boundaries": (50,), "warmup": 10},
      {49: 1.0, 51: 0.1},
    ),
    ({"schedule": "linear", "warmup": 10}, {5: 0.5, 50: 1.0, 75: 0.5}),
    ({"schedule": "poly"}, {0: 1.0, 50: 0.5**0.9, 90: 0.1**0.9, 100: 0.0}),
    (
      {"schedule": "poly", "warmup": 10},
      {5: 0.5, 10: 1.0, 55: 0.5**0.9, 100: 0.0},
    ),
  ],
)
def test_schedules_by_hand(fields, expected):
  schedule = build_schedule(config(**fields), 1.0, 100)
  for step, rate in expected.items():
    np.testing.assert_allclose(schedule(step), rate, atol=1e-6)


def test_unknown_schedule_names_the_field():
  with pytest.raises(UserError, match="config.optimizer.schedule"):
    build_schedule(config(schedule="cosin"), 1.0, 100)


def test_unknown_optimiser_names_the_field():
  c = config()
  c.generator.name = "sdg"
  with pytest.raises(UserError, match=r"optimizer\.generator\.name=sdg"):
    build_optimizers(c, 10)


def test_sgd_gathers_gradient_and_decay_in_its_momentum():
  c = config()
  c.generator.update(
    {"name": "sgd", "learning_rate": 0.1, "b1": 0.9, "weight_decay": 0.01}
  )
  optimizer = build_optimizers(c, 10)["generator"]
  value, velocity = 2.0, 0.0
  params = {"w": jnp.array(value)}
  state = optimizer.init(params)
  for gradient in (1.0, -3.0, 0.5):
    updates, state = optimizer.update({"w": jnp.array(gradient)}, state, params)
    params = {"w": params["w"] + updates["w"]}
    velocity = 0.9 * velocity + gradient + 0.01 * value
    value -= 0.1 * velocity
    np.testing.assert_allclose(params["w"], value, rtol=1e-6)


def test_frozen_submodule_keeps_its_values():
  optimizer = build_optimizers(config(frozen=("generator/held",)), 10)[
    "generator"
  ]
  params = {"held": {"w": jnp.ones(3)}, "free": {"w": jnp.ones(3)}}
  updates, _ = optimizer.update(params, optimizer.init(params), params)
  assert not updates["held"]["w"].any()
  assert updates["free"]["w"].all()


def test_misspelt_submodule_is_refused():
  shapes = {"generator": {"params": {"held": {"w": 0}, "free": {"w": 0}}}}
  for name in ("generator", "generator/held", "generator/held/w"):
    check_held(config(frozen=(name,)), shapes)
  for name in ("generator/hold", "generater/held", "generator/held/w/x"):
    with pytest.raises(UserError, match="there is generator/held, generator"):
      check_held(config(frozen=(name,)), shapes)


def test_clipping_bounds_the_update_of_sgd_like_adam():
  fields = {"clip_norm": 1e-3}
  optimizer = build_optimizers(config(**fields), 10)["generator"]
  params = {"w": jnp.zeros(4)}
  state = optimizer.init(params)
  _, state = optimizer.update({"w": jnp.full(4, 100.0)}, state, params)
  first_moment = state[1][0].nu["w"]
  np.testing.assert_allclose(first_moment, 0.1 * 1e-6 / 4, rtol=1e-4)
