"""Backbones as systems: built from JSON, loadable, useless for all else."""

import jax
import numpy as np
import pytest

from sginpaint.batch import Batch
from sginpaint.errors import UserError
from sginpaint.systems.backbone.objective import Backbone

BATCH = Batch(image=np.zeros((1, 64, 64, 3), "float32"))


def build(pictures=1, **fields):
  return Backbone.build(
    model={"generator": fields},
    objective={"pictures": pictures},
    num_classes=0,
    num_attributes=0,
    dtype="float32",
    frozen={},
  )


def test_lists_of_json_become_fields_and_parameters():
  system = build(name="vgg", layers=[1, 2], widths=[3, 4])
  shapes = jax.eval_shape(lambda: system.init(jax.random.key(0), BATCH))
  assert shapes["discriminator"] is None
  kernels = shapes["generator"]["params"]
  assert set(kernels) == {"conv1_1", "conv2_1", "conv2_2"}
  assert kernels["conv2_1"]["kernel"].shape == (3, 3, 3, 4)
  hash(system.generator)  # as a static argument of jax.jit needs it


def test_a_network_may_take_two_pictures():
  system = build(pictures=2, name="lpips", net="alex", widths=[2, 3, 4, 4, 4])
  shapes = jax.eval_shape(lambda: system.init(jax.random.key(0), BATCH))
  assert "heads_4" in shapes["generator"]["params"]


def test_unknown_network_is_refused():
  with pytest.raises(UserError, match="name=vg: .* .*vgg"):
    build(name="vg")


def test_it_fills_and_learns_nothing():
  system = build(name="vgg", layers=[1], widths=[3])
  for call in (
    lambda: system.predict({}, {}, BATCH),
    lambda: system.generate({}, {}, BATCH, None, train=True),
  ):
    with pytest.raises(UserError, match="VGG for losses and measures"):
      call()
