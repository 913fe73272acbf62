"""Encoder and decoder: sizes, the order of their parts, what they pass on."""

import flax.linen as nn
import jax
import numpy as np

from sginpaint.layers.encoder_decoder import Decoder, Encoder, Stage
from sginpaint.layers.resampling import pixel_shuffle


class Gate(nn.Module):
  """Stands in for a norm: multiplies by what it is given."""

  @nn.compact
  def __call__(self, x, factor=2.0):
    return x * factor


def picture(*shape):
  return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_encoder_returns_every_stage():
  stages = (Stage(4, 7), Stage(6, 4, 2, 1), Stage(8, 3, 2, 1))
  outputs, variables = Encoder(stages).init_with_output(
    jax.random.key(0), picture(2, 16, 12, 3)
  )
  assert [x.shape for x in outputs] == [
    (2, 16, 12, 4),
    (2, 8, 6, 6),
    (2, 4, 3, 8),
  ]
  assert sorted(variables["params"]) == ["conv_0", "conv_1", "conv_2"]


def test_encoder_hands_conditions_to_its_norm_before_the_activation():
  x = picture(1, 8, 8, 3)
  stages = (Stage(4, 3),)
  plain = Encoder(stages, act=lambda y: y)
  variables = plain.init(jax.random.key(0), x)
  raw = plain.apply(variables, x)[-1]
  gated = Encoder(stages, norm=Gate).apply(variables, x, -3.0)[-1]
  np.testing.assert_allclose(gated, np.maximum(0, -3.0 * raw), atol=1e-5)


def test_encoder_norms_from_the_stage_that_is_named():
  x = picture(1, 8, 8, 3)
  encoder = Encoder((Stage(4, 3), Stage(4, 3)), norm=Gate, norm_from=1)
  plain = Encoder((Stage(4, 3), Stage(4, 3)))
  variables = plain.init(jax.random.key(0), x)
  (first, second), got = plain.apply(variables, x), encoder.apply(variables, x)
  np.testing.assert_allclose(got[0], first, atol=1e-5)
  np.testing.assert_allclose(got[1], 2 * second, atol=1e-5)


def test_symmetric_padding_at_stride_two():
  """Padding "SAME" would start the first window inside the picture."""
  x = np.zeros((1, 8, 8, 1), "float32")
  x[0, 0, 0] = 1
  encoder = Encoder((Stage(1, 4, 2, 1),), act=lambda y: y)
  kernel = np.arange(16, dtype="float32").reshape(4, 4, 1, 1)
  params = {"conv_0": {"kernel": kernel, "bias": np.zeros(1, "float32")}}
  got = encoder.apply({"params": params}, x)[-1]
  assert got[0, 0, 0, 0] == kernel[1, 1, 0, 0]
  assert np.abs(got).sum() == got[0, 0, 0, 0]


def test_decoder_shuffles_norms_activates_then_paints():
  x = picture(1, 4, 5, 3)
  decoder = Decoder((6,), output=Stage(2, 1), norm=Gate)
  got, variables = decoder.init_with_output(jax.random.key(0), x)
  assert got.shape == (1, 8, 10, 2)
  params = variables["params"]
  wide = nn.Conv(24, (3, 3)).apply({"params": params["conv_0"]}, x)
  inner = np.maximum(0, 2.0 * pixel_shuffle(wide, 2))
  last = params["output"]
  expected = inner @ last["kernel"][0, 0] + last["bias"]
  np.testing.assert_allclose(got, expected, atol=1e-5)
