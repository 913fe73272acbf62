"""The classifier as a ResNet-50: the other teacher of SPL's figure 4.

  python train.py --config=configs/classifier_resnet50.py:quick \
    --workdir=runs/resnet50
"""

from ml_collections import ConfigDict

from configs import classifier, common


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = classifier.get_config(arg)
  c.model.generator.name = "resnet"
  c.model.generator.width = 16 if quick else 64
  c.model.generator.layers = (1, 1, 1, 1) if quick else (3, 4, 6, 3)
  return c
