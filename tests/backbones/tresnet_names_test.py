"""Official names of TResNet: variants, wrappers, and what is refused."""

import jax
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones.tresnet import TResNet
from sginpaint.errors import UserError
from tests.backbones.nets import shapes_of


def _state(**fields):
  """A narrow classifier as a PyTorch state dict, each tensor of its own."""
  fields = {"num_classes": 3, "width": 4, "layers": (1, 2, 2, 1)} | fields
  rng = np.random.default_rng(0)
  _, shapes = shapes_of(TResNet(**fields), (32, 32))
  variables = jax.tree.map(
    lambda s: rng.uniform(0.5, 1.5, s.shape).astype(np.float32), shapes
  )
  return convert.to_torch("tresnet_l", variables), variables


@pytest.mark.parametrize(
  ("head", "last"),
  [("linear", "head.fc.weight"), ("bottleneck", "head.fc.FC.weight")],
)
def test_heads_and_sizes_are_read_off_the_shapes(head, last):
  state, variables = _state(head=head)
  assert state[last].shape[0] == 3
  module, found = convert.from_torch("tresnet_l", state)
  assert (module.num_classes, module.width, module.head) == (3, 4, head)
  assert module.layers == (1, 2, 2, 1)
  jax.tree.map(np.testing.assert_array_equal, found, variables)


def test_strided_convolutions_have_one_level_more():
  state, _ = _state()
  names = {n for n in state if n.endswith("0.weight") and ".conv" in n}
  strided = {n for n in names if n.endswith(".0.0.weight")}
  assert strided == {
    "body.layer2.0.conv1.0.0.weight",
    "body.layer3.0.conv2.0.0.weight",
    "body.layer4.0.conv2.0.0.weight",
  }


def test_trunk_reads_the_whole_classifier_and_spl_checkpoints():
  state, _ = _state()
  module, direct = convert.from_torch("tresnet_l_trunk", state)
  assert (module.last_layer, module.layers[:2]) == (2, (1, 2))
  wrapped = {
    f"tresnet_xL_hold.module.{name}": value
    for name, value in state.items()
    if name.startswith(("body.conv1", "body.layer1", "body.layer2"))
  }
  wrapped |= {
    "generator.module.encoder_conv1.weight": np.ones((2, 2)),
    "adversarial_loss.real_label": np.ones(()),
  }
  _, found = convert.from_torch("tresnet_l_trunk", wrapped)
  jax.tree.map(np.testing.assert_array_equal, found, direct)
  assert "layer3_0" not in found["params"]


def test_trunk_is_not_enough_for_the_classifier():
  state, _ = _state()
  trunk = {n: v for n, v in state.items() if not n.startswith("head")}
  with pytest.raises(UserError, match=r"no tensor head\.fc\.weight"):
    convert.from_torch("tresnet_l", trunk)


def test_other_tensors_are_refused():
  state, _ = _state()
  state["body.layer1.0.conv3.0.weight"] = np.ones((4, 4, 3, 3))
  with pytest.raises(UserError, match=r"1 unknown: body\.layer1\.0\.conv3"):
    convert.from_torch("tresnet_l", state)
