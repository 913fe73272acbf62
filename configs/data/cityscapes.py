"""Cityscapes (Cordts et al., CVPR 2016), as SGE-Net splits it.

As a folder: train/ holds the 2,975 training pictures and the 1,525 of the test
set, whose labels nobody published (they stay without, or config.data.labels
names a folder with predicted ones); test/ the 500 of the validation set; each
with images/ and labels/, and classes.csv with the 19 classes of the benchmark
and a 20th for the rest. The shorter side counts 512 pixels when 256x256 are
cut.
`--config.data.path=FOLDER` names another place.
"""


def get_config() -> dict:
  return {
    "name": "folder",
    "path": "data/cityscapes",
    "resize": "shorter_side",
    "crop_size": 0.5,
    "validation_split": "test",
  }
