"""Cityscapes (Cordts et al., CVPR 2016), as SGE-Net splits it.

Train are the 2,975 training pictures and the 1,525 of the test set, whose
labels nobody published (they stay without, or config.data.labels names a folder
with predicted ones); test are the 500 of the validation set; the classes are
the 19 of the benchmark and a 20th for the rest. The shorter side counts 512
pixels when 256x256 are cut.

`python -m sginpaint prepare cityscapes` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "cityscapes",
    "path": "data/cityscapes",
    "resize": "shorter_side",
    "crop_size": 0.5,
    "validation_split": "test",
  }
