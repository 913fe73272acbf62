"""Networks that can be trained to give every pixel a class.

Each takes images [B, H, W, 3] in [-1, 1] with `train` and returns a dict of
`segmentation_logits` [B, H, W, K], `auxiliary` (a list of logits that only the
loss reads, of any size), and where the loss shall not read the enlarged logits,
`coarse_logits` in their place.
"""

from collections.abc import Mapping

import flax.linen as nn

from sginpaint.backbones.bisenet import BiSeNet
from sginpaint.backbones.deeplab import DeepLabV2

NETWORKS: Mapping[str, type[nn.Module]] = {
  "bisenet": BiSeNet,
  "deeplab": DeepLabV2,
}
