"""Outdoor Scenes (Wang et al., CVPR 2018): 9,900 pictures train, 300 test.

Classes: background, sky, water, grass, mountain, building, plant, animal; what
has no label is 255.

`python -m sginpaint prepare outdoor_scenes` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "outdoor_scenes",
    "path": "data/outdoor_scenes",
    "resize": "shorter_side",
    "validation_split": "test",
  }
