"""FFHQ (Karras et al., CVPR 2019): 60,000 faces train, 10,000 test, as ESPA's.

As a folder: train/images and test/images. Nobody published labels: write them
with `python -m sginpaint segment --labels` and a segmenter of faces, test ones
into test/labels, and name the folder of training ones by config.data.labels.
`--config.data.path=FOLDER` names another place.
"""


def get_config() -> dict:
  return {
    "name": "folder",
    "path": "data/ffhq",
    "validation_split": "test",
  }
