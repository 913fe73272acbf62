"""Tests of sginpaint.systems.classifier.networks."""

import jax.numpy as jnp
import pytest

from sginpaint.backbones.resnet import ResNet
from sginpaint.backbones.tresnet import TResNet
from sginpaint.errors import UserError
from sginpaint.systems.classifier.networks import build_network


def test_fields_reach_the_network_and_lists_become_tuples():
  net = build_network(
    "tresnet",
    num_classes=5,
    dtype=jnp.bfloat16,
    width=8,
    layers=[1, 1, 1, 1],
  )
  assert net == TResNet(5, width=8, layers=(1, 1, 1, 1), dtype=jnp.bfloat16)
  assert hash(net) is not None


def test_name_chooses_the_network():
  net = build_network("resnet", num_classes=5, dtype=jnp.float32, width=8)
  assert net == ResNet(5, width=8)


def test_unknown_name_says_what_to_use():
  with pytest.raises(UserError, match="'alexnet'.*resnet or tresnet"):
    build_network("alexnet", num_classes=1, dtype=jnp.float32)


def test_unknown_field_is_an_error():
  with pytest.raises(TypeError, match="depth"):
    build_network(num_classes=1, dtype=jnp.float32, depth=3)
