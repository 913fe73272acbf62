"""Convolution with gradients of its own against JAX's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.layers import convolution
from sginpaint.layers.convolution import conv_general_dilated

_LAYOUT = ("NHWC", "HWIO", "NHWC")


@pytest.mark.parametrize(
  ("channels", "size", "stride", "dilation", "padding"),
  [
    ((3, 2), (3, 3), 1, 2, "VALID"),
    ((2, 5), (3, 5), 1, 1, ((1, 0), (2, 1))),
    ((3, 2), (1, 1), 1, 1, "SAME"),
    ((3, 2), (1, 1), 1, 1, ((1, 1), (0, 2))),
    ((3, 2), (4, 4), 2, 1, ((1, 1), (1, 1))),
    ((2, 5), (4, 2), 2, 1, ((1, 0), (2, 1))),
    ((2, 5), (3, 3), 2, 1, "SAME"),
  ],
)
def test_result_and_gradients_are_those_of_jax(
  channels, size, stride, dilation, padding, monkeypatch
):
  monkeypatch.setattr(convolution, "_pays", lambda *_: True)
  generator = np.random.default_rng(0)
  x = jnp.asarray(generator.standard_normal((2, 11, 12, channels[0])))
  kernel = jnp.asarray(generator.standard_normal((*size, *channels)))

  @functools.partial(jax.jit, static_argnums=0)
  def run(convolve, x, kernel):
    y, pull_back = jax.vjp(
      lambda x, kernel: convolve(
        x,
        kernel,
        (stride, stride),
        padding,
        rhs_dilation=(dilation, dilation),
        dimension_numbers=_LAYOUT,
      ),
      x,
      kernel,
    )
    return y, pull_back(jnp.cos(jnp.arange(y.size).reshape(y.shape)))

  ours = run(conv_general_dilated, x, kernel)
  theirs = run(jax.lax.conv_general_dilated, x, kernel)
  for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
