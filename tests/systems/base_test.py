"""Networks built from a section of a config."""

import jax.numpy as jnp
import pytest

from sginpaint.backbones.resnet import ResNet
from sginpaint.backbones.tresnet import TResNet
from sginpaint.errors import UserError
from sginpaint.systems.base import build_network

NETWORKS = {"resnet": ResNet, "tresnet": TResNet}


def test_fields_reach_the_network_and_lists_become_tuples():
  section = {"name": "tresnet", "width": 8, "layers": [1, 1, 1, 1]}
  net = build_network(NETWORKS, section, num_classes=5, dtype=jnp.bfloat16)
  assert net == TResNet(5, width=8, layers=(1, 1, 1, 1), dtype=jnp.bfloat16)
  assert hash(net) is not None
  assert section["name"] == "tresnet"


def test_name_chooses_the_network():
  net = build_network(NETWORKS, {"name": "resnet"}, num_classes=5)
  assert net == ResNet(5)


@pytest.mark.parametrize("section", [{"name": "alexnet"}, {}])
def test_unknown_name_says_what_to_use(section):
  with pytest.raises(UserError, match="resnet, tresnet"):
    build_network(NETWORKS, section, num_classes=1)


def test_unknown_field_is_an_error():
  with pytest.raises(TypeError, match="depth"):
    build_network(NETWORKS, {"name": "resnet", "depth": 3}, num_classes=1)
