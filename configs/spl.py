"""SPL: semantic priors from an ASL classifier (Zhang et al., IJCAI 2021).

  python train.py --config=configs/spl.py:quick --workdir=runs/spl \
    --config.teacher.path=runs/teacher

The generator is the official code's (WendongZh/SPL): region normalisation, 16
residual dense blocks in the semantic learner, 8 SPADE residual blocks. The
defaults are the paper's: 256x256, batch 8, Adam(0, 0.9), rate 1e-4 falling to
1e-5 after three quarters (epoch 30 of 40). The teacher must be trained and its
features precomputed first (configs/classifier.py, `python -m sginpaint
precompute`). `quick` is a narrow network at 64x64 for a laptop.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
  quick, data = common.parse_arg(arg)
  c = common.get_config()
  c.system = "spl"
  c.model.generator = ConfigDict(
    {
      "width": 64,  # channels of the first layer; all others follow
      "blocks": 8,  # SPADE residual blocks
      "fusion": "spade",  # spade | concat (figure 4 of the paper)
      "learner": "dense",  # dense (official code) | residual (paper)
      "dense_blocks": 16,  # residual dense blocks of the learner
      "residual_blocks": 4,  # residual blocks behind them
      "prior_channels": 152,  # of the teacher's layer; 0 = no prior head
      "normalization": "region",  # region (official code) | none (paper)
    }
  )
  c.model.discriminator = ConfigDict({"widths": (64, 128, 256, 512)})
  c.objective.alpha = 3.0  # extra weight of the hole in the prior loss, eq. 5
  c.objective.delta = 5.0  # ... in the image loss, eq. 9 (official code: 2)
  c.objective.teacher_layer = c.teacher.get_ref("layer")  # the same one
  c.loss_weights.generator = ConfigDict(
    {"image": 10.0, "adversarial": 1.0, "prior": 1.0}  # eq. 12
  )
  c.loss_weights.discriminator = ConfigDict({"adversarial": 1.0})
  c.steps = 1_000_000
  c.optimizer.schedule = "steps"
  c.optimizer.boundaries = (750_000,)
  common.apply_data(c, data)
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores, at 64x64."""
  c.data.image_size = 64
  c.data.builder_config = "64"
  c.model.generator.width = 16  # wider is several times slower on CPUs
  c.model.generator.blocks = 2
  c.model.generator.learner = "residual"
  c.model.generator.residual_blocks = 2
  c.model.generator.prior_channels = 32
  c.model.generator.normalization = "none"
  c.model.discriminator.widths = (16, 32, 64)
  c.objective.delta = 2.0  # a short training learns sooner from what it sees
  c.loss_weights.generator.adversarial = 0.01  # the paper has 1
  c.batch_size = 4  # small, so that activations fit the caches of a CPU
  c.steps = 6600
  c.ema_decay = 0.995
  for player in ("generator", "discriminator"):
    c.optimizer[player].learning_rate = 1e-3
    c.optimizer[player].b1 = 0.9
    c.optimizer[player].b2 = 0.99
  c.optimizer.discriminator.b1 = 0.5
  c.optimizer.schedule = "cosine"
  c.optimizer.warmup = 50
  c.checkpoint.every = 500
  c.log.every = 50
  c.log.images_every = 1000
  c.eval.batch_size = 16
