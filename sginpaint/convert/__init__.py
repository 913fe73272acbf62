"""Weights of published PyTorch networks, read into ours.

Each network's own file of names says which tensor is which; `SOURCES` lists
them. Nothing of PyTorch is needed: a state dict is a mapping from name to
array. Pictures and masks keep this library's conventions on the Flax side.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np

from sginpaint.backbones import (
  bisenet,
  deeplab,
  inception_torch_names,
  lpips,
  resnet,
  tresnet_torch_names,
  vgg,
)
from sginpaint.convert.mapping import Source, read, write
from sginpaint.errors import UserError
from sginpaint.layers import discriminators
from sginpaint.systems.espa import torch_names as espa
from sginpaint.systems.spl import torch_names as spl

SOURCES: Mapping[str, Source] = {
  "espa_autoencoder": Source(**espa.AUTOENCODER),
  "espa_discriminator": Source(**espa.DISCRIMINATOR),
  "inception_fid": Source(**inception_torch_names.TORCH),
  "spade_discriminator": Source(**discriminators.SPADE_TORCH),
  "spl_generator": Source(**spl.GENERATOR),
  "spl_discriminator": Source(**spl.DISCRIMINATOR),
  "tresnet_l": Source(**tresnet_torch_names.CLASSIFIER),
  "tresnet_l_trunk": Source(**tresnet_torch_names.TRUNK),
  "lpips_alex": Source(**lpips.TORCH_ALEX),
  "lpips_vgg": Source(**lpips.TORCH_VGG),
  "vgg16": Source(**vgg.TORCH_VGG16),
  "vgg19": Source(**vgg.TORCH_VGG19),
  "bisenet": Source(**bisenet.TORCH),
  "deeplab_v2": Source(**deeplab.TORCH),
  "resnet50": Source(**resnet.TORCH),
}


def from_torch(
  name: str, state_dict: Mapping[str, np.ndarray]
) -> tuple[nn.Module, dict[str, Any]]:
  """Reads a state dict with the official PyTorch names.

  Args:
    name: which network, a key of `SOURCES`.
    state_dict: {name: array} in PyTorch's layouts. Wrapper prefixes
      ("module.", "generator.", ...) and, where they are present, the other
      networks of the same training model may be in it.

  Returns:
    The Flax module, its sizes read off the shapes, and its variables
    (float32).

  Raises:
    UserError: the name is not known, or tensors are missing, unknown or
      misshapen; the message lists them.
  """
  return read(name, source(name), state_dict)


def to_torch(name: str, variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """The inverse: variables (or any tree of their shape) to official names.

  Args:
    name: a key of `SOURCES`.
    variables: {"params": ..., <collection>: ...}, whole or in part.

  Returns:
    {name: array} in PyTorch's layouts, without wrapper prefixes.

  Raises:
    UserError: the name is not known.
  """
  return write(source(name), variables)


def source(name: str) -> Source:
  """The entry of `SOURCES`, or a UserError that lists the names."""
  if name not in SOURCES:
    raise UserError(
      f"no network {name!r} to convert; known: {', '.join(sorted(SOURCES))}"
    )
  return SOURCES[name]
