"""Places365-Standard, the 20 scene categories that the boosted GAN fills.

About 100,000 pictures train, 2,000 test; otherwise as `data=places2`.

`python -m sginpaint prepare places2_20` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "places2_20",
    "path": "data/places2_20",
    "validation_split": "test",
  }
