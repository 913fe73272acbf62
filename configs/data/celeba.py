"""CelebA (Liu et al., ICCV 2015): the largest centred square of each face.

162,770 pictures train, 19,867 validate, 19,962 test. Of the 40 attributes the
18 of the boosted GAN are kept: all that its paper names, and AttGAN's 13.

`python -m sginpaint prepare celeba` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""

from sginpaint.data.builders.celeba import BOOSTED_GAN_18


def get_config() -> dict:
  return {
    "name": "celeba",
    "path": "data/celeba",
    "resize": "shorter_side",
    "keep_attributes": BOOSTED_GAN_18,
  }
