"""Places365-Standard (Zhou et al., 2017), the public part of Places2.

1,803,460 pictures train, the 36,500 official validation ones test. Attributes:
the boosted GAN's 20 scenes; its 40 objects are unknown, for nobody labelled
them. `data=places2_20` is of those 20 scenes only.

`python -m sginpaint prepare places2` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "places2",
    "path": "data/places2",
    "validation_split": "test",
  }
