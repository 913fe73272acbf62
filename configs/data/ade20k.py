"""ADE20K-150 (Zhou et al., CVPR 2017): 20,210 pictures train, 2,000 test.

150 classes; the attributes are the boosted GAN's 20 scenes and 40 objects.

`python -m sginpaint prepare ade20k` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "ade20k",
    "path": "data/ade20k",
    "validation_split": "test",
    "resize": "shorter_side",
  }
