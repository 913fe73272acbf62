"""VGG-16 and VGG-19 against torchvision, and SPADE's loss on the latter."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint import convert
from sginpaint.backbones.vgg import official_indices
from sginpaint.losses import perceptual
from tests.parity.golden import Golden
from tests.parity.layouts import nchw
from tests.parity.precision import wide, wide_gradient

Arrays = dict[str, Any]


def vgg16(golden: Golden) -> Arrays:
  """Every activation and pool."""
  return _activations("vgg16", golden)


def vgg19(golden: Golden) -> Arrays:
  """Every activation and pool."""
  return _activations("vgg19", golden)


def _activations(name: str, golden: Golden) -> Arrays:
  module, variables = convert.from_torch(name, golden.params)
  outputs = jax.jit(module.apply)(variables, 2 * golden.image() - 1)
  arrays = {
    f"mid/features.{index}": nchw(outputs[layer])
    for layer, index in official_indices(module.layers).items()
    if layer in outputs
  }
  return {**arrays, "out/features": nchw(outputs["pool5"])}


def vgg19_loss(golden: Golden) -> Arrays:
  """SPADE's preset: features, terms of the layers, gradient of the picture."""
  module, variables = convert.from_torch("vgg19", golden.params)
  preset = perceptual.PRESETS["spade"]
  module = module.clone(normalize=preset.normalize)
  fake, real = np.split(2 * golden.image() - 1, 2)

  @jax.jit
  def run(variables: Any, fake: Any, real: Any) -> Any:
    predicted = module.apply(variables, fake)
    target = module.apply(variables, real)
    options = {"layers": preset.layers, "kind": preset.kind}
    terms = perceptual.perceptual_terms(predicted, target, **options)
    loss = perceptual.perceptual_loss(predicted, target, **options)
    return predicted, terms, loss

  def total(fake: Any, real: Any, variables: Any) -> jax.Array:
    predicted, target = (
      wide(module).apply(variables, image) for image in (fake, real)
    )
    loss = perceptual.perceptual_loss(
      predicted, target, layers=preset.layers, kind=preset.kind
    )
    return jnp.mean(loss)

  predicted, terms, loss = run(variables, fake, real)
  gradient = wide_gradient(total, fake, real, variables)
  arrays = {"loss/vgg": jnp.mean(loss), "grad/x": nchw(gradient)}
  for i, layer in enumerate(preset.layers, 1):
    arrays[f"out/{layer}"] = nchw(predicted[layer])
    arrays[f"loss/l1_layer{i}"] = jnp.mean(terms[layer])
  return arrays
