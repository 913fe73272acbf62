"""The boosted GAN's generator and global discriminator, told nothing.

With boosted_gan.py, boosted_gan_attributes.py and boosted_gan_segmentation.py:

  python -m sginpaint ladder --workdir=runs/boosted_gans --masks rectangle \\
    --configs configs/boosted_gan_neither.py:quick \\
    configs/boosted_gan_attributes.py:quick \\
    configs/boosted_gan_segmentation.py:quick configs/boosted_gan.py:quick
"""

from ml_collections import ConfigDict

from configs import boosted_gan


def get_config(arg: str = "") -> ConfigDict:
  return boosted_gan.get_config(arg, without=("attributes", "segmentation"))
