"""SPL without semantic supervision ("w/o S", figure 4 of the paper)."""

from ml_collections import ConfigDict

from configs import spl


def get_config(arg: str = "") -> ConfigDict:
  c = spl.get_config(arg)
  c.model.generator.prior_channels = 0
  del c.loss_weights.generator["prior"]
  return c
