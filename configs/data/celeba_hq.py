"""CelebA-HQ (Karras et al., ICLR 2018) with the labels of CelebAMask-HQ.

As a folder: train/images, train/labels, test/images, test/labels and
classes.csv with its 19 classes (skin, nose, ..., background), left and right
ones mirroring each other. `--config.data.path=FOLDER` names another place.
"""


def get_config() -> dict:
  return {
    "name": "folder",
    "path": "data/celeba_hq",
    "validation_split": "test",
  }
