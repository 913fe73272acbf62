"""Networks that can be trained as multi-label classifiers.

Each takes images [B, H, W, 3] in [-1, 1] with `train` and returns a dict with
`logits` [B, A] beside its features.
"""

from collections.abc import Mapping

import flax.linen as nn

from sginpaint.backbones.resnet import ResNet
from sginpaint.backbones.tresnet import TResNet
from sginpaint.backbones.vgg import VGG

NETWORKS: Mapping[str, type[nn.Module]] = {
  "resnet": ResNet,
  "tresnet": TResNet,
  "vgg": VGG,
}
