"""DeepLab v2 (Chen et al., TPAMI 2018), a ResNet-101 at three scales.

  python train.py --config=configs/segmenter_deeplab.py:quick \
    --workdir=runs/deeplab

The published training crops 321x321, fine-tunes COCO weights at a rate of
2.5e-4 with their batch norms held, and gives the classifiers ten times that.
This one starts from scratch: it keeps BiSeNet's rate and moving batch norms.
"""

from ml_collections import ConfigDict

from configs import common, segmenter


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = segmenter.get_config(arg)
  c.model.generator.name = "deeplab"
  c.model.generator.width = 8 if quick else 64
  c.model.generator.layers = (1, 1, 1, 1) if quick else (3, 4, 23, 3)
  c.model.generator.momentum = 0.9  # of the batch norms; 0.999 for fine-tuning
  c.objective.loss = "cross_entropy"
  if not quick:
    c.data.image_size = 320
    c.batch_size = 10
  return c
