"""Perceptual losses on dicts of features, one value per example.

Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (ECCV 2016): a
network that was trained to classify compares the prediction with the truth. The
functions here see what the network said ({name: [B, ...]}), not the network:
the outputs of VGG, or of any other classifier, by the names of its layers.
`PRESETS` holds what the papers use:

  sge_net  eq. 7 of SGE-Net: L1 at three layers of VGG-16.
  espa     eq. 5 of ESPA: squared error over C * H * W at five of VGG-19.
  spade    Park et al. (CVPR 2019, code): L1 at the same five, deep layers
           weighing most, pictures not normalised as VGG was trained on them.

SGE-Net writes norms; each is a mean here, so that layers of every size count
alike. Everything is computed in float32.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

import chex
import jax
import jax.numpy as jnp

from sginpaint.errors import UserError
from sginpaint.layers.normalization import statistics_type

Kind = Literal["l1", "squared"]

_ERRORS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
  "l1": jnp.abs,
  "squared": jnp.square,
}


@dataclasses.dataclass(frozen=True)
class Preset:
  """A published perceptual loss.

  Attributes:
    network: whose features it compares, a name of `sginpaint.convert`.
    layers: {layer: weight}.
    kind: of error.
    normalize: field of the network: ImageNet's mean and deviation or not.
  """

  network: str
  layers: Mapping[str, float]
  kind: Kind
  normalize: bool = True


PRESETS: Mapping[str, Preset] = {
  "sge_net": Preset(
    "vgg16", {"relu2_2": 1.0, "relu3_3": 1.0, "relu4_3": 1.0}, "l1"
  ),
  "espa": Preset(
    "vgg19", {f"relu{stage}_1": 1.0 for stage in range(1, 6)}, "squared"
  ),
  "spade": Preset(
    "vgg19",
    {
      "relu1_1": 1 / 32,
      "relu2_1": 1 / 16,
      "relu3_1": 1 / 8,
      "relu4_1": 1 / 4,
      "relu5_1": 1.0,
    },
    "l1",
    normalize=False,
  ),
}


def perceptual_terms(
  predicted: Mapping[str, chex.Array],
  target: Mapping[str, chex.Array],
  *,
  layers: Mapping[str, float],
  kind: Kind = "l1",
) -> dict[str, jax.Array]:
  """Mean error of each layer; no gradient reaches the target.

  Args:
    predicted: {layer: [B, ...]}, features of the prediction.
    target: {layer: [B, ...]}, of the truth; both may hold more layers.
    layers: {layer: weight}; only the names are read here.
    kind: "l1" or "squared".

  Returns:
    {layer: float32 [B]}, unweighted: means over positions and channels.

  Raises:
    UserError: `kind` is not known, or a layer is not among the features.
  """
  if kind not in _ERRORS:
    raise UserError(
      f"perceptual loss {kind!r} is not known; use {' or '.join(_ERRORS)}"
    )
  terms = {}
  for layer in layers:
    if layer not in predicted or layer not in target:
      known = ", ".join(sorted(set(predicted) & set(target)))
      raise UserError(
        f"perceptual loss: the network has no layer {layer!r}; it has {known}"
      )
    a, b = predicted[layer], jax.lax.stop_gradient(target[layer])
    chex.assert_equal_shape([a, b])
    error = _ERRORS[kind](statistics_type(a) - statistics_type(b))
    terms[layer] = jnp.mean(error.reshape(error.shape[0], -1), axis=-1)
  return terms


def perceptual_loss(
  predicted: Mapping[str, chex.Array],
  target: Mapping[str, chex.Array],
  *,
  layers: Mapping[str, float],
  kind: Kind = "l1",
) -> jax.Array:
  """Weighted sum of `perceptual_terms`: eq. 7 of SGE-Net, eq. 5 of ESPA.

  Args:
    predicted: {layer: [B, ...]}, features of the prediction.
    target: {layer: [B, ...]}, of the truth; gets no gradient.
    layers: {layer: weight}, at least one.
    kind: "l1" or "squared".

  Returns:
    float32 [B].

  Raises:
    UserError: no layer is given, one is not among the features, or `kind` is
      not known.
  """
  if not layers:
    raise UserError("perceptual loss: no layers are given")
  terms = perceptual_terms(predicted, target, layers=layers, kind=kind)
  weighted = [weight * terms[layer] for layer, weight in layers.items()]
  return jnp.sum(jnp.stack(weighted), axis=0)
