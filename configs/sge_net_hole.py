"""Control of SGE-Net: its bias-nets read the hole at every scale."""

from ml_collections import ConfigDict

from configs import sge_net


def get_config(arg: str = "") -> ConfigDict:
  c = sge_net.get_config(arg)
  c.model.generator.reliability = "hole"
  return c
