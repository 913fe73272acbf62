"""A multi-label classifier trained with the asymmetric loss: SPL's teacher.

  python train.py --config=configs/classifier.py:quick --workdir=runs/teacher

TResNet-L as SPL's paper uses it (ASL, Ben-Baruch et al. 2020), at twice the
side of the pictures to inpaint, because that is what a teacher is shown.
`quick` is a small TResNet at 128x128 for a laptop.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
  quick, data = common.parse_arg(arg)
  c = common.get_config()
  c.system = "classifier"
  c.model.generator = ConfigDict(
    {
      "name": "tresnet",  # the network
      "width": 76,  # of its first stage; layer2 has twice as many channels
      "layers": (4, 5, 18, 3),  # blocks per stage
    }
  )
  c.objective.gamma_negative = 4.0  # focusing of absent attributes
  c.objective.gamma_positive = 0.0  # ... of present ones
  c.objective.margin = 0.05  # probability shift of absent attributes
  c.objective.holes = False  # train on pictures with holes in half of them
  c.loss_weights.generator = ConfigDict({"classification": 1.0})
  c.data.image_size = 512
  c.batch_size = 56
  c.steps = 60_000
  c.ema_decay = 0.9997
  c.optimizer.generator.learning_rate = 2e-4
  c.optimizer.generator.b1 = 0.9
  c.optimizer.generator.b2 = 0.999
  c.optimizer.generator.weight_decay = 1e-4
  c.optimizer.schedule = "cosine"
  c.optimizer.warmup = 1000
  c.log.images_every = 0
  c.eval.masks = "none"  # read whole pictures only
  common.apply_data(c, data)
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A minute or two on two CPU cores."""
  c.data.image_size = 128
  c.data.builder_config = "64"
  c.model.generator.width = 16
  c.model.generator.layers = (1, 1, 1, 1)
  c.batch_size = 32
  c.steps = 150
  c.ema_decay = 0.98
  c.optimizer.generator.learning_rate = 2e-3
  c.optimizer.warmup = 20
  c.checkpoint.every = 100
  c.log.every = 20
  c.eval.batch_size = 32
