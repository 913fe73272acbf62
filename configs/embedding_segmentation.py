"""The segmentation embedding of the boosted GAN: a BiSeNet that meets holes.

  python train.py --config=configs/embedding_segmentation.py:quick \
    --workdir=runs/embedding_segmentation
  python evaluate.py --workdir=runs/embedding_segmentation --split=validation

Half of the training pictures have a hole, for at use it reads corrupted ones;
`config.objective.holes=False` trains on whole pictures. The evaluation scores
both, and of the corrupted ones the inside of the hole by itself.
`embedding_segmentation_deeplab.py` is the one for scenes; `quick` is a small
one at 64x64, of two minutes on a CPU core.
"""

from ml_collections import ConfigDict

from configs import common, segmenter
from configs.embedding_attributes import embed


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = segmenter.get_config(arg)
  embed(c, quick=quick)
  c.checkpoint.best = "corrupted_miou"
  if quick:
    c.steps = 1200
  return c
