"""ESPA, stage 1 without the attention: row (b) of table III."""

from ml_collections import ConfigDict

from configs import espa_stage1


def get_config(arg: str = "") -> ConfigDict:
  c = espa_stage1.get_config(arg)
  c.model.generator.autoencoder.attention = False
  return c
