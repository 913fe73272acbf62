"""Folding of batch norms: the same outputs, and only where it is allowed."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint import convert
from sginpaint.backbones.bisenet import BiSeNet
from sginpaint.backbones.deeplab import DeepLabV2
from sginpaint.backbones.tresnet import ConvABN, TResNet
from sginpaint.layers.folding import fold_batch_norms
from sginpaint.layers.normalization import BatchNorm
from tests.backbones.nets import filled, random, shapes_of
from tests.parity import __main__ as parity
from tests.parity.parity_test import GOLDEN

IMAGE = random(2, 6, 5, 3)


class Net(nn.Module):
  """A convolution, a norm, and what else the test wants.

  Attributes:
    times: how often both are applied, with the same weights.
    residual: whether the convolution's output is used apart from the norm.
    affine: whether the norm has parameters.
  """

  times: int = 1
  residual: bool = False
  affine: bool = True

  @nn.compact
  def __call__(self, x, *, train):
    conv = nn.Conv(3, (3, 3), name="conv")
    norm = BatchNorm(affine=self.affine, name="norm")
    for _ in range(self.times):
      y = conv(x)
      x = nn.relu(norm(y, train=train)) + (y if self.residual else 0.0)
    return x


def outputs_of(net):
  """Its variables, folded ones, and its output with either."""
  shapes = jax.eval_shape(
    lambda image: net.init(jax.random.key(0), image, train=False), IMAGE
  )
  variables = filled(shapes)
  folded = fold_batch_norms(net, variables, jnp.asarray(IMAGE))
  apply = jax.jit(lambda v: net.apply(v, IMAGE, train=False))
  return variables, folded, apply(variables), apply(folded)


@pytest.mark.parametrize(
  "net", [Net(), Net(times=3), Net(affine=False), ConvABN(3, slope=0.1)]
)
def test_output_stays_while_the_gain_moves_into_the_kernel(net):
  variables, folded, before, after = outputs_of(net)
  np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)
  stats = variables["batch_stats"]["norm"]
  params = variables["params"].get("norm", {"scale": 1.0})
  gain = (
    np.abs(params["scale"]) if isinstance(net, ConvABN) else params["scale"]
  )
  np.testing.assert_allclose(
    folded["params"]["conv"]["kernel"],
    variables["params"]["conv"]["kernel"] * gain / np.sqrt(stats["var"]),
    rtol=1e-2,  # without the epsilons
  )


@pytest.mark.parametrize("net", [Net(), Net(affine=False)])
def test_folded_norm_only_adds(net):
  _, folded, _, _ = outputs_of(net)
  norm = {name: folded[name].get("norm", {}) for name in folded}
  added = BatchNorm(affine=net.affine).apply(norm, IMAGE) - IMAGE
  np.testing.assert_allclose(
    added, np.broadcast_to(added[0, 0, 0], added.shape), atol=1e-5
  )


def test_convolution_that_something_else_reads_is_left_alone():
  variables, folded, _, _ = outputs_of(Net(residual=True))
  jax.tree.map(np.testing.assert_array_equal, variables, folded)


def test_given_variables_are_not_changed():
  variables, folded, _, _ = outputs_of(Net())
  again = outputs_of(Net())[0]
  jax.tree.map(np.testing.assert_array_equal, variables, again)
  assert folded["params"]["conv"] is not variables["params"]["conv"]


def test_without_running_moments_nothing_happens():
  variables = {"params": {"kernel": IMAGE}}
  assert fold_batch_norms(nn.Conv(3, (1, 1)), variables, IMAGE) == variables


NARROW = {"width": 4, "layers": (1, 1, 1, 1)}


@pytest.mark.parametrize(
  "net",
  [
    BiSeNet(3, **NARROW),
    DeepLabV2(3, rates=(1, 2), **NARROW),
    TResNet(3, **NARROW),
  ],
  ids=lambda net: type(net).__name__,
)
def test_every_norm_of_a_narrow_network_is_folded(net):
  image = random(2, 32, 32, 3)
  variables = filled(shapes_of(net, (32, 32))[1])
  folded = fold_batch_norms(net, variables, image)
  scales = jax.tree_util.tree_leaves_with_path(folded["params"])
  for path, scale in scales:
    if path[-1].key == "scale":  # it only adds from now on
      np.testing.assert_allclose(np.abs(scale), 1.0, atol=1e-4)
  apply = jax.jit(lambda v: net.apply(v, image, train=False))
  before, after = apply(variables), apply(folded)
  for a, b in zip(*map(jax.tree.leaves, (before, after)), strict=True):
    np.testing.assert_allclose(b, a, atol=1e-4 * np.abs(a).max())


@pytest.mark.parametrize(
  ("case", "tapped"),
  [
    ("inception_fid", ()),
    ("resnet50", ("mid/conv1", "mid/layer1.0.conv2", "train", "state/")),
    ("spl_tresnet", ("mid/stem_conv",)),  # of a convolution, before its norm
  ],
)
def test_folded_networks_stay_within_the_goldens_tolerance(
  case, tapped, monkeypatch
):
  from_torch = convert.from_torch

  def folded(*args, **kwargs):
    module, variables = from_torch(*args, **kwargs)
    image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    return module, fold_batch_norms(module, variables, image)

  monkeypatch.setattr(convert, "from_torch", folded)
  result = parity.run_case(GOLDEN, case)
  broken = [p for p in result.problems if not any(t in p for t in tapped)]
  assert not broken
  assert bool(result.problems) == bool(tapped)  # it was folded
