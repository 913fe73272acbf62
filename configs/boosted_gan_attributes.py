"""The boosted GAN without segmentation: attributes alone guide and judge."""

from ml_collections import ConfigDict

from configs import boosted_gan


def get_config(arg: str = "") -> ConfigDict:
  return boosted_gan.get_config(arg, without=("segmentation",))
