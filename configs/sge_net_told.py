"""SGE-Net that learns to follow a given map: for editing (not in the paper).

In a quarter of the training examples the true segmentation guides, as a
person's may at use; the others are SGE-Net's.
"""

from ml_collections import ConfigDict

from configs import sge_net


def get_config(arg: str = "") -> ConfigDict:
  c = sge_net.get_config(arg)
  c.objective.told = 0.25
  return c
