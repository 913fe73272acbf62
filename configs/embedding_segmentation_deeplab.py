"""The segmentation embedding as a DeepLab v2, which the paper has for scenes.

  python train.py --config=configs/embedding_segmentation_deeplab.py:quick \
    --workdir=runs/embedding_segmentation_deeplab
"""

from ml_collections import ConfigDict

from configs import common, segmenter_deeplab
from configs.embedding_attributes import embed


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = segmenter_deeplab.get_config(arg)
  embed(c, quick=quick)
  c.checkpoint.best = "corrupted_miou"
  return c
