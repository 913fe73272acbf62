"""Outdoor Scenes (Wang et al., CVPR 2018): 9,900 pictures train, 300 test.

As a folder: train/images, train/labels, test/images, test/labels, classes.csv
with background, sky, water, grass, mountain, building, plant, animal; what has
no label is 255. `--config.data.path=FOLDER` names another place.
"""


def get_config() -> dict:
  return {
    "name": "folder",
    "path": "data/outdoor_scenes",
    "resize": "shorter_side",
    "validation_split": "test",
  }
