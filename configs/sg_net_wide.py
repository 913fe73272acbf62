"""Control of SGE-Net: SG-Net with as many parameters, in its base-nets."""

from ml_collections import ConfigDict

from configs import sg_net


def get_config(arg: str = "") -> ConfigDict:
  c = sg_net.get_config(arg)
  c.model.generator.base_width = 2
  return c
