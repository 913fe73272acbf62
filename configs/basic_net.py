"""Basic-Net: SG-Net whose segmentation guides nothing (table 3).

Encoder, context inference, skips, base-nets, both heads at all scales and all
losses stay; SPADE becomes an instance norm with a learnt scale and shift, or,
where nothing is normalised, nothing.
"""

from ml_collections import ConfigDict

from configs import sg_net


def get_config(arg: str = "") -> ConfigDict:
  c = sg_net.get_config(arg)
  c.model.generator.guided = False
  return c
