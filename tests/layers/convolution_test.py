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


def _temporaries(layers, shape):
  """Bytes of the gradient of so many layers, on maps large enough to pay."""

  def loss(kernels, x):
    for kernel in kernels:
      x = jax.nn.relu(conv_general_dilated(x, kernel, (1, 1), "SAME"))
    return x.sum()

  channels = shape[-1]
  kernel = jax.ShapeDtypeStruct((3, 3, channels, channels), jnp.float32)
  x = jax.ShapeDtypeStruct(shape, jnp.float32)
  compiled = jax.jit(jax.grad(loss)).lower([kernel] * layers, x).compile()
  return compiled.memory_analysis().temp_size_in_bytes


def test_copies_for_the_gradient_are_not_made_in_the_forward_pass():
  shape = (1, 64, 64, 128)
  of_a_layer = (_temporaries(6, shape) - _temporaries(2, shape)) / 4
  # It keeps its input and where that was above 0; copies are three maps more.
  assert of_a_layer < 2 * (4 * np.prod(shape))
