"""Losses of classifiers on logits, one value per example.

Targets of multi-label losses are float [B, A] in [0, 1]; NaN means that the
label is not known, and such an entry adds nothing to the loss or its gradient.

`asymmetric_loss` is ASL (Ridnik et al., ICCV 2021, eqs. 3-7; code
Alibaba-MIIL/ASL), with which SPL's teacher was trained. Defaults are the
class defaults of that code, gammas (4, 1); its training script uses (4, 0).
"""

import chex
import jax
import jax.numpy as jnp

# Probabilities below this do not enter a logarithm (value of the ASL code).
_TINY = 1e-8


def asymmetric_loss(
  logits: chex.Array,
  targets: chex.Array,
  *,
  gamma_negative: float = 4.0,
  gamma_positive: float = 1.0,
  margin: float = 0.05,
  stop_focus_gradient: bool = True,
) -> jax.Array:
  """Multi-label loss that plays down easy negatives.

  With p = sigmoid(logit) and q = min(1 - p + margin, 1), the entry is
  -(y log p + (1 - y) log q) * (1 - p_t)^gamma, p_t = y p + (1 - y) q.

  Args:
    logits: [B, A].
    targets: [B, A] in [0, 1], NaN = unknown.
    gamma_negative: focusing exponent of negatives.
    gamma_positive: focusing exponent of positives.
    margin: negatives whose probability is below this cost nothing.
    stop_focus_gradient: whether (1 - p_t)^gamma is a constant for the gradient,
      as in the official training.

  Returns:
    float32 [B], the SUM over attributes as in the official code.
  """
  chex.assert_rank(logits, 2)
  chex.assert_equal_shape([logits, targets])
  x = logits.astype(jnp.float32)
  y, known = _known_targets(targets)
  positive = jax.nn.sigmoid(x)
  # 1 - p cancels in float32 where p is near 1; sigmoid(-x) does not.
  negative = jax.nn.sigmoid(-x)
  if margin > 0.0:
    negative = jnp.minimum(negative + margin, 1.0)
  entropy = -(y * _safe_log(positive) + (1.0 - y) * _safe_log(negative))
  # The shifted probability of a negative, max(p - margin, 0), is 1 - q.
  shifted = jax.nn.relu(positive - margin) if margin > 0.0 else positive
  rest = y * jax.nn.sigmoid(-x) + (1.0 - y) * shifted
  focus = _power(rest, gamma_positive * y + gamma_negative * (1.0 - y))
  if stop_focus_gradient:
    focus = jax.lax.stop_gradient(focus)
  return jnp.sum(jnp.where(known, entropy * focus, 0.0), axis=-1)


def single_label_asymmetric_loss(
  logits: chex.Array,
  labels: chex.Array,
  *,
  gamma_negative: float = 4.0,
  gamma_positive: float = 0.0,
  smoothing: float = 0.1,
) -> jax.Array:
  """ASL for exactly one class per picture, as the ASL code defines it.

  Args:
    logits: [B, C].
    labels: int [B], class index.
    gamma_negative: focusing exponent of the other classes.
    gamma_positive: focusing exponent of the true class.
    smoothing: share of the target spread evenly over all classes.

  Returns:
    float32 [B].
  """
  chex.assert_rank(logits, 2)
  chex.assert_shape(labels, logits.shape[:1])
  log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
  y = jax.nn.one_hot(labels, logits.shape[-1], dtype=jnp.float32)
  p = jnp.exp(log_p)
  rest = y * (1.0 - p) + (1.0 - y) * p
  focus = _power(rest, gamma_positive * y + gamma_negative * (1.0 - y))
  target = y * (1.0 - smoothing) + smoothing / logits.shape[-1]
  return -jnp.sum(target * focus * log_p, axis=-1)


def _known_targets(targets: chex.Array) -> tuple[jax.Array, jax.Array]:
  """Targets with 0 for NaN, so that no NaN meets a gradient; and a flag."""
  known = ~jnp.isnan(targets)
  return jnp.where(known, targets, 0.0).astype(jnp.float32), known


def _safe_log(p: jax.Array) -> jax.Array:
  return jnp.log(jnp.maximum(p, _TINY))


def _power(base: jax.Array, exponent: jax.Array) -> jax.Array:
  """base ** exponent for base >= 0, with gradient 0 at base = 0."""
  positive = base > 0.0
  power = jnp.where(positive, base, 1.0) ** exponent
  return jnp.where(positive, power, (exponent == 0.0).astype(power.dtype))
