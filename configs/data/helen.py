"""Helen faces (Le et al., 2012) with the 11 classes of Smith et al. (2013).

2,000 pictures train, 230 validate, 100 test; left and right classes mirror each
other. The boosted GAN trains its segmenter of faces on it.

`python -m sginpaint prepare helen` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "helen",
    "path": "data/helen",
    "resize": "shorter_side",
  }
