"""FFHQ (Karras et al., CVPR 2019): 60,000 faces train, 10,000 test, as ESPA's.

Nobody published labels: write them with `python -m sginpaint segment --labels`
and a segmenter of faces, and name the folder by config.data.labels.

`python -m sginpaint prepare ffhq` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "ffhq",
    "path": "data/ffhq",
    "validation_split": "test",
  }
