"""Plain networks that systems and losses are built from."""

from collections.abc import Mapping

import flax.linen as nn

from sginpaint.backbones.inception import Inception
from sginpaint.backbones.lpips import LPIPS
from sginpaint.backbones.resnet import ResNet
from sginpaint.backbones.tresnet import TResNet
from sginpaint.backbones.vgg import VGG

# Those that a workdir of system `backbone` may hold, by their name there.
NETWORKS: Mapping[str, type[nn.Module]] = {
  "inception": Inception,
  "lpips": LPIPS,
  "resnet": ResNet,
  "tresnet": TResNet,
  "vgg": VGG,
}
