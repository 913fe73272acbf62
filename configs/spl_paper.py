"""SPL with the learner that the paper describes: five residual blocks."""

from ml_collections import ConfigDict

from configs import spl


def get_config(arg: str = "") -> ConfigDict:
  c = spl.get_config(arg)
  c.model.generator.learner = "residual"
  c.model.generator.residual_blocks = 5
  return c
