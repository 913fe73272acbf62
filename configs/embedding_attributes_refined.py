"""The attribute embedding, refined by its own word on unlabelled pictures.

  python train.py --workdir=runs/embedding_attributes_refined \
    --config=configs/embedding_attributes_refined.py:data=folder \
    --config.data.path=PICTURES

The future work of the boosted GAN's paper. It begins with
runs/embedding_attributes, and a frozen copy of that labels whole pictures as
far as it is sure; labels of the data set are not looked at.
"""

from ml_collections import ConfigDict

from configs import common, embedding_attributes


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = embedding_attributes.get_config(arg)
  embedding_attributes.refine(c, "runs/embedding_attributes", quick=quick)
  return c
