"""The embedded, generated scenes: nothing to download, exact labels."""


def get_config() -> dict:
  return {"name": "synthetic_scenes"}
