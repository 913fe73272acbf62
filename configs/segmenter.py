"""BiSeNet (Yu et al., ECCV 2018) on the labels of a data set.

  python train.py --config=configs/segmenter.py:quick --workdir=runs/segmenter

The size, optimiser and loss of zllrunning/face-parsing.PyTorch, which gives its
heads ten times the rate of the rest; here all share one. `objective.holes=True`
makes the segmenter that guides the boosted GAN. `quick` is a narrow one at
128x128 for a laptop, with Adam.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
  quick, data = common.parse_arg(arg)
  c = common.get_config()
  c.system = "segmenter"
  c.model.generator = ConfigDict(
    {
      "name": "bisenet",  # the network: bisenet | deeplab
      "width": 64,  # channels of its stem
      "layers": (2, 2, 2, 2),  # blocks per stage
    }
  )
  c.objective.loss = "ohem"  # ohem | cross_entropy
  c.objective.threshold = 0.7  # of OHEM: more probable pixels are not hard
  c.objective.holes = False  # train on pictures with holes in half of them
  c.loss_weights.generator = ConfigDict({"segmentation": 1.0, "auxiliary": 1.0})
  c.data.image_size = 512
  c.data.resize = "shorter_side"
  c.data.crop = "random"
  c.batch_size = 16
  c.steps = 80_000
  c.optimizer.generator.name = "sgd"
  c.optimizer.generator.learning_rate = 1e-2
  c.optimizer.generator.b1 = 0.9
  c.optimizer.generator.weight_decay = 5e-4
  c.optimizer.schedule = "poly"
  c.optimizer.warmup = 1000
  c.log.images_every = 0
  c.eval.masks = "none"  # read whole pictures only
  common.apply_data(c, data)
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores."""
  c.data.image_size = 128
  c.model.generator.width = 16
  c.model.generator.layers = (1, 1, 1, 1)
  c.batch_size = 16
  c.steps = 400
  c.optimizer.generator.name = "adam"
  c.optimizer.generator.learning_rate = 2e-3
  c.optimizer.generator.b2 = 0.999
  c.optimizer.generator.weight_decay = 1e-4
  c.optimizer.warmup = 20
  c.checkpoint.every = 100
  c.log.every = 20
  c.eval.batch_size = 16
