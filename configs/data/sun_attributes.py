"""SUN Attributes (Patterson and Hays, CVPR 2012): 14,340 scenes.

The boosted GAN's 20 scenes as attributes, of the file's category, and the 102
published ones, as the share of the three votes; 90 % / 5 % / 5 % by a hash.

`python -m sginpaint prepare sun_attributes` builds it, and says where to get it
and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "sun_attributes",
    "path": "data/sun_attributes",
    "resize": "shorter_side",
  }
