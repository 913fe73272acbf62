"""SG-Net: SGE-Net without the evaluation of its segmentation (table 3)."""

from ml_collections import ConfigDict

from configs import sge_net


def get_config(arg: str = "") -> ConfigDict:
  c = sge_net.get_config(arg)
  c.model.generator.reliability = "none"
  return c
