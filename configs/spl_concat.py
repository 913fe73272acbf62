"""SPL with priors concatenated, not injected by SPADE (figure 4)."""

from ml_collections import ConfigDict

from configs import spl


def get_config(arg: str = "") -> ConfigDict:
  c = spl.get_config(arg)
  c.model.generator.fusion = "concat"
  return c
