"""ESPA, stage 2 with the published discriminator, 94x94 instead of 70x70."""

from ml_collections import ConfigDict

from configs import espa_stage2


def get_config(arg: str = "") -> ConfigDict:
  c = espa_stage2.get_config(arg)
  c.model.discriminator.kind = "official"
  return c
