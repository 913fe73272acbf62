"""Control of SGE-Net: its bias-nets are told that nothing is unreliable."""

from ml_collections import ConfigDict

from configs import sge_net


def get_config(arg: str = "") -> ConfigDict:
  c = sge_net.get_config(arg)
  c.model.generator.reliability = "ones"
  return c
