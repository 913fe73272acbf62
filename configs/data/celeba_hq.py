"""CelebA-HQ (Karras et al., ICLR 2018) with the labels of CelebAMask-HQ.

19 classes, left and right ones mirroring each other; 24,183 pictures train,
2,993 validate, 2,824 test, by the splits of CelebA. Of the 40 attributes the 18
of the boosted GAN are kept.

`python -m sginpaint prepare celeba_hq` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""

from sginpaint.data.builders.celeba import BOOSTED_GAN_18


def get_config() -> dict:
  return {
    "name": "celeba_hq",
    "path": "data/celeba_hq",
    "keep_attributes": BOOSTED_GAN_18,
  }
