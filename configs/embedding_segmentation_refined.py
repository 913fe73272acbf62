"""The segmentation embedding, refined by its own word on unlabelled pictures.

  python train.py --workdir=runs/embedding_segmentation_refined \
    --config=configs/embedding_segmentation_refined.py:data=folder \
    --config.data.path=PICTURES

The future work of the boosted GAN's paper. It begins with
runs/embedding_segmentation, and a frozen copy of that labels whole pictures as
far as it is sure; labels of the data set are not looked at (where they are of
other classes, say --config.data.labels=none).
"""

from ml_collections import ConfigDict

from configs import common, embedding_segmentation
from configs.embedding_attributes import refine


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = embedding_segmentation.get_config(arg)
  refine(c, "runs/embedding_segmentation", quick=quick)
  return c
