"""SPL taught by a ResNet-50 instead of a TResNet-L (figure 4 of the paper).

  python train.py --config=configs/spl_other_teacher.py:quick \
    --workdir=runs/spl_resnet50 --config.teacher.path=runs/resnet50

The teacher comes from configs/classifier_resnet50.py; like TResNet's, its
layer2 has an eighth of the input's side, but eight times the width in channels.
"""

from ml_collections import ConfigDict

from configs import common, spl


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = spl.get_config(arg)
  c.model.generator.prior_channels = 128 if quick else 512
  return c
