"""Rearranged convolutions: the plain ones' values and gradients."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from sginpaint.layers.rearranged import convolve_doubled, convolve_thin
from sginpaint.layers.resampling import upsample_nearest


def draw(*shape):
  return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def check(plain, rearranged, x, prepare=lambda x: x):
  """Same values, same gradients of input and parameters."""
  variables = plain.init(jax.random.key(0), x)
  weight = draw(*jax.eval_shape(plain.apply, variables, prepare(x)).shape)

  def total(module, prepare):
    return lambda v, x: (module.apply(v, prepare(x)) * weight).sum()

  want, got = (
    jax.jit(jax.value_and_grad(total(*pair), argnums=(0, 1)))(variables, x)
    for pair in ((plain, prepare), (rearranged, lambda x: x))
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3),
    want,
    got,
  )


@pytest.mark.parametrize(
  ("channels", "features", "side", "height"),
  [(4, 6, 7, 8), (6, 3, 7, 10), (3, 3, 5, 6), (6, 6, 7, 8), (4, 6, 7, 9)],
)
def test_thin_convolution(channels, features, side, height):
  """Thin at either end; where it is not, or sizes are odd, plain."""
  options = {"kernel_size": (side, side), "padding": "REFLECT"}
  check(
    nn.Conv(features, **options),
    nn.Conv(features, conv_general_dilated=convolve_thin, **options),
    draw(2, height, 12, channels),
  )


@pytest.mark.parametrize("side", [3, 7])
def test_doubled_convolution(side):
  options = {"kernel_size": (side, side), "padding": "REFLECT"}
  check(
    nn.Conv(5, **options),
    nn.Conv(5, conv_general_dilated=convolve_doubled, **options),
    draw(2, 6, 9, 4),
    prepare=lambda x: upsample_nearest(x, 2),
  )


def test_thin_convolution_does_the_work_in_half_the_size():
  """Otherwise the tests above would compare the plain one with itself."""
  shapes = (2, 14, 14, 4), (7, 7, 4, 6)
  options = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
  text = str(
    jax.make_jaxpr(
      lambda x, k: convolve_thin(x, k, (1, 1), "VALID", **options)
    )(*(draw(*shape) for shape in shapes))
  )
  assert "f32[2,4,4,24]" in text
