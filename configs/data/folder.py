"""A folder of one's own: `--config.data.path=FOLDER`.

images/ (any depth), and where there are some: labels/ (8-bit PNG, same stems)
with classes.csv, attributes.csv, and split files train.txt, validation.txt,
test.txt of stems.
"""


def get_config() -> dict:
  return {"name": "folder"}
