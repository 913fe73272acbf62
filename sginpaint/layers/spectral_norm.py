"""Convolution whose kernel is divided by its largest singular value.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks"
(ICLR 2018), in the arithmetic of PyTorch's `nn.utils.spectral_norm`: one power
iteration per training call, v before u, gradient through sigma with u and v
held fixed. `flax.linen.SpectralNorm` normalises and differentiates otherwise.
"""

from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sginpaint.layers.convolution import conv_general_dilated

EPSILON = 1e-12


def normalize(vector: chex.Array) -> jax.Array:
  """The vector at length 1; a zero vector stays zero."""
  return vector / jnp.maximum(jnp.linalg.norm(vector), EPSILON)


def power_iteration(
  matrix: chex.Array, u: chex.Array
) -> tuple[jax.Array, jax.Array]:
  """One step towards the leading singular vectors of `matrix`.

  Args:
    matrix: [inputs, outputs].
    u: [outputs], the last estimate of the right vector.

  Returns:
    (u [outputs], v [inputs]), both of length 1.
  """
  v = normalize(jnp.dot(matrix, u, precision="highest"))
  u = normalize(jnp.dot(v, matrix, precision="highest"))
  return u, v


class SpectralConv(nn.Module):
  """2-D convolution with a spectrally normalised kernel.

  The estimates u [features] and v [kh, kw, inputs] live in the collection
  "spectral_norm"; a training call moves them, an evaluation call does not.

  Attributes:
    features: channels out.
    kernel_size: (height, width) of the kernel.
    strides: of the convolution, both axes.
    padding: what `jax.lax.conv_general_dilated` takes.
    use_bias: add a bias, which is not normalised.
    dtype: of the computation; sigma is computed in float32.
    kernel_init: initialiser of the kernel.
  """

  features: int
  kernel_size: tuple[int, int]
  strides: int = 1
  padding: Any = "SAME"
  use_bias: bool = True
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(self, x: chex.Array, *, train: bool = False) -> jax.Array:
    """Convolves [B, H, W, C]."""
    shape = (*self.kernel_size, x.shape[-1], self.features)
    kernel = self.param("kernel", self.kernel_init, shape)
    x = conv_general_dilated(
      x.astype(self.dtype),
      (kernel / self._sigma(kernel, train)).astype(self.dtype),
      (self.strides, self.strides),
      self.padding,
    )
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (self.features,))
      x = x + bias.astype(self.dtype)
    return x

  def _sigma(self, kernel: jax.Array, train: bool) -> jax.Array:
    matrix = kernel.reshape(-1, self.features)
    fixed = jax.lax.stop_gradient(matrix)

    def first_u() -> jax.Array:
      key = self.make_rng("params")
      return normalize(jax.random.normal(key, (self.features,)))

    u_store = self.variable("spectral_norm", "u", first_u)
    v_store = self.variable(
      "spectral_norm",
      "v",
      lambda: power_iteration(fixed, u_store.value)[1].reshape(
        kernel.shape[:-1]
      ),
    )
    u, v = u_store.value, v_store.value.reshape(-1)
    if train and not self.is_initializing():
      u, v = power_iteration(fixed, jax.lax.stop_gradient(u))
      u_store.value, v_store.value = u, v.reshape(kernel.shape[:-1])
    # u and v must not carry a gradient even where the caller differentiates
    # with respect to all variables.
    u, v = jax.lax.stop_gradient((u, v))
    return jnp.dot(
      jnp.dot(v, matrix, precision="highest"), u, precision="highest"
    )
