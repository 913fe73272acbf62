"""A small VGG-style classifier, for perceptual losses without official weights.

  python train.py --config=configs/classifier_vgg.py:quick --workdir=runs/vgg

Layers are named as in VGG-16 (relu1_1 ... relu5_3), so that the perceptual
losses of the papers find theirs; a global mean and one linear layer stand for
the fully connected ones, which alone have 120 million parameters. It sees
pictures of the size that is inpainted. What is measured with it is neither
LPIPS nor comparable with a paper's numbers.
"""

from ml_collections import ConfigDict

from configs import classifier, common


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = classifier.get_config(arg)
  c.model.generator = ConfigDict(
    {
      "name": "vgg",
      "layers": (2, 2, 3, 3, 3),  # convolutions per stage
      "widths": (8, 16, 32, 64, 64) if quick else (32, 64, 128, 256, 256),
      "head": "mean",  # "dense" has the two hidden layers of the published one
    }
  )
  c.data.image_size = 64 if quick else 256
  c.batch_size = 32 if quick else 64
  if quick:
    # Without batch norms it learns nothing in the first hundred steps.
    c.steps = 600
    c.optimizer.generator.learning_rate = 1e-3
  return c
