"""External spatial attention: against loops, at other sizes, in memory."""

import math
import re

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.layers.attention import ExternalSpatialAttention


def drawn(*shape, factor=2):
  """(module, variables, input), every number different."""
  module = ExternalSpatialAttention(token_factor=factor)
  generator = np.random.default_rng(0)
  draw = lambda shape: generator.standard_normal(shape).astype("float32")
  x = draw(shape)
  shapes = jax.eval_shape(module.init, jax.random.key(0), x)
  variables = jax.tree.map(lambda leaf: 0.5 * draw(leaf.shape), shapes)
  return module, variables, x


def gelu(x):
  return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def perceptron(line, first, second):
  """Two layers on the tokens of one line of one channel, by loops."""
  tokens, hidden = first.shape
  middle = [
    gelu(sum(line[t] * first[t, h] for t in range(tokens)))
    for h in range(hidden)
  ]
  return [
    sum(middle[h] * second[h, t] for h in range(hidden)) for t in range(tokens)
  ]


def slow(params, x):
  """Equation 3, token by token."""
  y = np.array(x, np.float64)
  scale, shift = params["norm"]["scale"], params["norm"]["bias"]
  b, h, w, c = y.shape
  for token in np.ndindex(b, h, w):
    values = y[token]
    deviation = math.sqrt(sum((values - values.mean()) ** 2) / c + 1e-5)
    y[token] = (values - values.mean()) / deviation * scale + shift
  kernels = {name: params[name]["kernel"] for name in params if name != "norm"}
  for n, j, k in np.ndindex(b, w, c):
    y[n, :, j, k] = perceptron(
      y[n, :, j, k], kernels["height_first"], kernels["height_second"]
    )
  for n, i, k in np.ndindex(b, h, c):
    y[n, i, :, k] = perceptron(
      y[n, i, :, k], kernels["width_first"], kernels["width_second"]
    )
  return y


@pytest.mark.parametrize(
  ("shape", "factor"), [((2, 4, 3, 5), 2), ((1, 2, 6, 4), 3)]
)
def test_equals_the_slow_reference(shape, factor):
  module, variables, x = drawn(*shape, factor=factor)
  got = module.apply(variables, x)
  np.testing.assert_allclose(got, slow(variables["params"], x), atol=2e-5)


def test_every_token_of_the_picture_is_reached():
  module, variables, x = drawn(1, 6, 5, 3)
  gradient = jax.grad(lambda x: module.apply(variables, x)[0, 1, 4, 2])(x)
  assert (np.abs(gradient).max(-1) > 1e-6).all()


def test_parameters_belong_to_the_grid_and_have_no_bias():
  _, variables, _ = drawn(1, 6, 5, 3, factor=4)
  shapes = jax.tree.map(np.shape, variables["params"])
  assert shapes == {
    "norm": {"scale": (3,), "bias": (3,)},
    "height_first": {"kernel": (6, 24)},
    "height_second": {"kernel": (24, 6)},
    "width_first": {"kernel": (5, 20)},
    "width_second": {"kernel": (20, 5)},
  }


@pytest.mark.parametrize("size", [(3, 5), (4, 12), (9, 6), (16, 16)])
def test_other_sizes_are_brought_to_the_trained_grid_and_back(size):
  module, variables, x = drawn(2, 4, 6, 3)
  x = np.random.default_rng(1).standard_normal((2, *size, 3)).astype("float32")
  resize = lambda x, size: jax.image.resize(x, (2, *size, 3), "linear")
  expected = resize(module.apply(variables, resize(x, (4, 6))), size)
  np.testing.assert_allclose(module.apply(variables, x), expected, atol=1e-4)


@pytest.mark.parametrize("size", [(3, 5), (16, 16)])
def test_constant_input_of_any_size_gives_the_trained_result(size):
  module, variables, x = drawn(2, 4, 6, 3)
  # Constant along the tokens, so that sizes differ in nothing else; and what
  # the perceptrons make of it is made constant, too, by kernels of equal rows.
  params = jax.tree.map(lambda p: np.full_like(p, p.mean()), variables)
  params["params"]["norm"] = variables["params"]["norm"]
  pixel = x[:, :1, :1]
  trained = module.apply(params, jnp.broadcast_to(pixel, x.shape))
  got = module.apply(params, jnp.broadcast_to(pixel, (2, *size, 3)))
  expected = np.broadcast_to(np.asarray(trained)[:, :1, :1], got.shape)
  np.testing.assert_allclose(got, expected, atol=1e-5)


def sizes_in(jaxpr):
  """Numbers of elements of all arrays that a computation makes."""
  for equation in jaxpr.eqns:
    for variable in equation.outvars:
      yield math.prod(variable.aval.shape)
    for inner in jax.extend.core.jaxprs_in_params(equation.params):
      yield from sizes_in(inner)


def largest(side, channels=2):
  module, variables, x = drawn(1, side, side, channels)
  forward = lambda v: jnp.sum(module.apply(v, x))
  return max(sizes_in(jax.make_jaxpr(jax.grad(forward))(variables).jaxpr))


def test_no_matrix_of_tokens_by_tokens_and_memory_is_linear():
  small, large = largest(16), largest(32)
  # The hidden layer: twice the tokens, in two channels.
  assert small == 2 * 2 * 16**2 < 16**4
  assert large == 4 * small < 32**4


@pytest.mark.parametrize("side", [16, 24])
def test_compiled_program_holds_no_such_matrix(side):
  module, variables, x = drawn(1, side, side, 2)
  gradient = jax.grad(lambda v, x: jnp.sum(module.apply(v, x)), argnums=(0, 1))
  text = jax.jit(gradient).lower(variables, x).compile().as_text()
  shapes = [
    tuple(int(n) for n in found.split(",") if n)
    for found in re.findall(r"f32\[([\d,]*)\]", text)
  ]
  assert len(shapes) > 20
  assert max(math.prod(s) for s in shapes) == 2 * 2 * side**2


def test_bfloat16_stays_near_float32():
  module, variables, x = drawn(1, 8, 8, 16)
  half = ExternalSpatialAttention(dtype=jnp.bfloat16).apply(variables, x)
  full = module.apply(variables, x)
  assert half.dtype == jnp.bfloat16
  error = np.asarray(half, "float32") - full
  assert np.std(error) < 0.03 * np.std(full)
