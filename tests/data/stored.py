"""Small stores of made-up teacher features."""

import numpy as np

from sginpaint.data.teacher_features import FeatureWriter

COUNT, SHAPE = 10, (2, 3, 5)
IDS = [f"d/p{i}" for i in range(COUNT)]
MADE_FROM = {"teacher": "abc", "layer": "layer2", "input_size": [64, 64]}


def features(count: int = COUNT, views: int = 2) -> np.ndarray:
  """float32 [count, views, h, w, F] of uneven channels, one of them zero."""
  generator = np.random.default_rng(3)
  values = generator.normal(size=(count, views, *SHAPE))
  return (values * [1.0, 30.0, 1e-3, 0.0, 5.0]).astype(np.float32)


def fill(directory, values, **options):
  options = {"records_per_shard": 4} | options
  with FeatureWriter(directory, MADE_FROM, IDS, **options) as writer:
    for span in writer.claim():
      writer.write(values[slice_of(span)])


def slice_of(span):
  return slice(span.start, span.stop)
