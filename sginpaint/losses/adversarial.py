"""Adversarial losses on logits, one value per example.

`kind` chooses the objective for a discriminator that returns *logits* [B, ...]
(no sigmoid), usually one per patch:

  bce            Goodfellow et al. 2014 with the non-saturating generator;
                 eqs. 10-11 of SPL, eq. 8 of SGE-Net, eqs. 3-6 of the boosted
                 GAN.
  hinge          Miyato et al. 2018.
  least_squares  Mao et al. 2017 (real 1, fake 0); eq. 8 of ESPA.
  wasserstein    Arjovsky et al. 2017: the plain difference of scores.

SPL's eq. 10 as printed would have the generator push D(fake) towards 0; its
code minimises -log D(fake), which is `generator_loss` here. That code also
clamps each logarithm at -100, which only matters beyond logits of +-100.
Everything is computed in float32 and averaged over all axes but the first.
"""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import chex
import jax
import jax.numpy as jnp

from sginpaint.errors import UserError

Kind = Literal["bce", "hinge", "least_squares", "wasserstein"]


def real_loss(logits: chex.Array, *, kind: Kind = "bce") -> jax.Array:
  """Discriminator's loss on real pictures.

  Args:
    logits: [B, ...], what the discriminator says of real pictures.
    kind: see the module's docstring.

  Returns:
    float32 [B].

  Raises:
    UserError: `kind` is not known.
  """
  x = logits.astype(jnp.float32)
  _check_kind(kind)
  if kind == "bce":
    return _mean(jax.nn.softplus(-x))
  if kind == "hinge":
    return _mean(jax.nn.relu(1.0 - x))
  if kind == "wasserstein":
    return _mean(-x)
  return _mean(jnp.square(x - 1.0))


def fake_loss(logits: chex.Array, *, kind: Kind = "bce") -> jax.Array:
  """Discriminator's loss on generated (or mismatched) pictures.

  Args:
    logits: [B, ...], what the discriminator says of them.
    kind: see the module's docstring.

  Returns:
    float32 [B].

  Raises:
    UserError: `kind` is not known.
  """
  x = logits.astype(jnp.float32)
  _check_kind(kind)
  if kind == "bce":
    return _mean(jax.nn.softplus(x))
  if kind == "hinge":
    return _mean(jax.nn.relu(1.0 + x))
  if kind == "wasserstein":
    return _mean(x)
  return _mean(jnp.square(x))


def discriminator_loss(
  real_logits: chex.Array, fake_logits: chex.Array, *, kind: Kind = "bce"
) -> jax.Array:
  """Mean of `real_loss` and `fake_loss`: eq. 11 of SPL, halved as its code.

  Args:
    real_logits: [B, ...].
    fake_logits: [B, ...], same batch size.
    kind: see the module's docstring.

  Returns:
    float32 [B].
  """
  chex.assert_equal_shape_prefix([real_logits, fake_logits], 1)
  real = real_loss(real_logits, kind=kind)
  return 0.5 * (real + fake_loss(fake_logits, kind=kind))


def generator_loss(fake_logits: chex.Array, *, kind: Kind = "bce") -> jax.Array:
  """Generator's loss: eq. 10 of SPL in its non-saturating form.

  Args:
    fake_logits: [B, ...], what the discriminator says of generated pictures.
    kind: see the module's docstring.

  Returns:
    float32 [B].

  Raises:
    UserError: `kind` is not known.
  """
  # Only the discriminator's losses have a hinge.
  return real_loss(fake_logits, kind="wasserstein" if kind == "hinge" else kind)


def mean_over_scales(
  loss: Callable[..., jax.Array],
  scales: Sequence[chex.Array],
  *,
  kind: Kind = "bce",
) -> jax.Array:
  """Mean of a loss over the scales of a multi-scale discriminator.

  Every scale weighs the same, however many patches it has (pix2pixHD, SPADE).

  Args:
    loss: `real_loss`, `fake_loss` or `generator_loss`.
    scales: logits [B, ...] of each scale.
    kind: see the module's docstring.

  Returns:
    float32 [B].
  """
  terms = [loss(logits, kind=kind) for logits in scales]
  return jnp.mean(jnp.stack(terms), axis=0)


def _check_kind(kind: str) -> None:
  known = get_args(Kind)
  if kind not in known:
    raise UserError(
      f"adversarial loss {kind!r} is not known; use one of {', '.join(known)}"
    )


def _mean(x: jax.Array) -> jax.Array:
  return jnp.mean(x.reshape(x.shape[0], -1), axis=-1)
