"""SGIM and SGIM+ against loops, and what a person says instead of the map."""

import jax
import numpy as np
import pytest

from sginpaint.layers.normalization import instance_norm
from sginpaint.systems.sge_net.sgim import SGIM, replace_segmentation
from tests.layers.normalization_test import convolve, spade_by_loops

MODULE = SGIM(features=3, hidden=4, base_width=2, mask_features=2)


def normal(seed, *shape):
  return np.random.default_rng(seed).normal(size=shape).astype("float32")


def inputs():
  segmentation = np.exp(normal(2, 2, 2, 3, 4))
  return (
    normal(0, 2, 2, 3, 5),
    normal(1, 2, 4, 6, 2),
    segmentation / segmentation.sum(-1, keepdims=True),
    np.array([[[0, 1, 1], [1, 0, 1]], [[1, 1, 1], [0, 0, 0]]], "float32"),
  )


def drawn(*arguments):
  """Parameters none of which is zero."""
  shapes = jax.eval_shape(MODULE.init, jax.random.key(0), *arguments)
  leaves, structure = jax.tree.flatten(shapes["params"])
  return structure.unflatten(
    0.3 * normal(9 + i, *leaf.shape) for i, leaf in enumerate(leaves)
  )


def leaky(x):
  return np.where(x > 0, x, 0.2 * x)


def doubled(x):
  return x.repeat(2, 1).repeat(2, 2)


def bilinear(x):
  """Doubles [B, h, w, C] linearly; samples lie at the middles of pixels."""
  for axis in (1, 2):
    n = x.shape[axis]
    at = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
    x = np.apply_along_axis(
      lambda line, at=at, n=n: np.interp(at, np.arange(n), line), axis, x
    )
  return x


def layer(x, params):
  return np.stack([convolve(p, params["kernel"], params["bias"]) for p in x])


def by_loops(params, inner, skip, segmentation, reliability):
  x = layer(doubled(leaky(inner)), params["up"])
  x = np.concatenate([x, skip], -1)
  # In the order that the loops take them.
  spade = {
    name: {"kernel": p["kernel"], "bias": p["bias"]}
    for name, p in params["spade"].items()
  }
  f = leaky(spade_by_loops(x, bilinear(segmentation), spade))
  y = layer(leaky(layer(f, params["base_0"])), params["base_1"])
  if reliability is None:
    return y
  mask = layer(doubled(reliability[..., None]), params["mask"])
  f = np.concatenate([f, np.maximum(mask, 0)], -1)
  return y + layer(leaky(layer(f, params["bias_0"])), params["bias_1"])


@pytest.mark.parametrize("plus", [False, True])
def test_equations_3_and_6_by_loops(plus):
  inner, skip, segmentation, reliability = inputs()
  arguments = inner, skip, segmentation, reliability if plus else None
  params = drawn(*arguments)
  got = jax.jit(MODULE.apply)({"params": params}, *arguments)
  np.testing.assert_allclose(got, by_loops(params, *arguments), atol=1e-4)


def test_without_a_map_it_is_an_affine_instance_norm():
  inner, skip, *_ = inputs()
  params = drawn(inner, skip)
  assert set(params) == {"up", "norm", "base_0", "base_1"}
  x = np.concatenate([layer(doubled(leaky(inner)), params["up"]), skip], -1)
  x = np.asarray(instance_norm(x.astype("float32")))
  f = leaky(x * params["norm"]["scale"] + params["norm"]["bias"])
  expected = layer(leaky(layer(f, params["base_0"])), params["base_1"])
  got = jax.jit(MODULE.apply)({"params": params}, inner, skip)
  np.testing.assert_allclose(got, expected, atol=1e-4)


def test_cells_take_the_shares_of_what_is_said():
  probabilities = inputs()[2]
  segmentation = np.full((2, 4, 6), 255)
  segmentation[0, :2, :2] = [[1, 1], [3, 255]]
  segmentation[1, 2:, 4:] = 2
  got = np.asarray(replace_segmentation(probabilities, segmentation))
  expected = probabilities.copy()
  expected[0, 0, 0] = (
    np.array([0, 0.5, 0, 0.25]) + 0.25 * probabilities[0, 0, 0]
  )
  expected[1, 1, 2] = [0, 0, 1, 0]
  np.testing.assert_allclose(got, expected, atol=1e-6)
  np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)
