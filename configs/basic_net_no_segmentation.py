"""Basic-Net that predicts no segmentation; needs no labels."""

from ml_collections import ConfigDict

from configs import basic_net


def get_config(arg: str = "") -> ConfigDict:
  c = basic_net.get_config(arg)
  c.model.generator.segmentation = False
  del c.loss_weights.generator["segmentation"]
  c.eval.outputs = ()
  c.eval.analyses = ("scales",)
  return c
