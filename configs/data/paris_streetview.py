"""Paris StreetView (Doersch et al., 2012): 14,900 pictures train, 100 test.

Pictures are resized to a square, as SPL does.

`python -m sginpaint prepare paris_streetview` builds it, and says where to get
it and under which terms; `--config.data.path=DIR` names another place. A folder
laid out by hand: `--config.data.name=folder --config.data.path=FOLDER`.
"""


def get_config() -> dict:
  return {
    "name": "paris_streetview",
    "path": "data/paris_streetview",
    "validation_split": "test",
  }
