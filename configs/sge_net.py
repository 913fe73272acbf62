"""SGE-Net: semantic guidance and evaluation (Liao et al., ECCV 2020).

  python train.py --config=configs/sge_net.py:quick --workdir=runs/sge_net

Labels are needed in training only. The paper names no widths, weights or
optimiser; the defaults are those of its nearest relatives (pix2pixHD, SPADE,
edge-connect): 256x256, batch 8, Adam(0, 0.9), rate 2e-4 falling to 0 over the
second half. `quick` is a narrow network at 64x64 for a laptop, on centred
holes, without norms and perceptual loss. `configs/sg_net.py` and
`configs/basic_net.py` are the paper's ablations.

lambda_s: Basic-Net at 64x64 without norms, 1,000 steps, centred holes, on the
validation split of synthetic_scenes: hole PSNR 17.8 dB with 1, 19.5 with 0.3,
20.6 with 0.1; mIoU of the hole 40.8, 40.1 and 37.4 %.
"""

from ml_collections import ConfigDict

from configs import common

# Section 4.1: holes of 128 in pictures of 256, on Cityscapes of 96.
_CENTER_SIZE = {"cityscapes": 0.375}


def get_config(arg: str = "") -> ConfigDict:
  quick, data = common.parse_arg(arg)
  c = common.get_config()
  c.system = "sge_net"
  c.model.generator = ConfigDict(
    {
      "width": 64,  # channels at full size; all others follow
      "dilations": (2, 2, 4, 4, 8, 8),  # of the blocks at the bottleneck
      "guided": True,  # SGIM: the predicted segmentation modulates features
      "reliability": "confidence",  # SCEM | hole | ones | none (no SGIM+)
      "segmentation": True,  # predict one
      "unreliable": (0.75, 0.5, 0.25),  # share of the hole, scales 3, 2, 1
      "share_of": "hole",  # of which these are shares: hole | image
      "spade_hidden": 128,  # channels
      "base_width": 1,  # 2 doubles the hidden channels of the base-nets
      "normalization": "instance",  # instance | none
      "deviation": 0.02,  # of the initial kernels, with norms
    }
  )
  c.model.discriminator = ConfigDict(
    {"widths": (64, 128, 256, 512), "scales": 3, "deviation": 0.02}
  )
  # A workdir: converted from VGG-16's published weights, or trained with
  # configs/classifier_vgg.py; or random:<seed>, or none.
  c.objective.perceptual = "runs/vgg16"
  c.objective.told = 0.0  # share of training examples guided by their labels
  c.loss_weights.generator = ConfigDict(
    {
      "image": 1.0,
      "perceptual": 0.1,  # lambda_p
      "adversarial": 0.1,  # lambda_alpha
      "segmentation": 0.1,  # lambda_s; see the docstring
    }
  )
  c.loss_weights.discriminator = ConfigDict({"adversarial": 1.0})
  c.data.resize = "shorter_side"
  c.data.crop = "random"
  c.masks.center = c.masks.irregular = 0.5
  for player in ("generator", "discriminator"):
    c.optimizer[player].learning_rate = 2e-4
  c.optimizer.schedule = "linear"
  c.eval.masks = "center"
  c.eval.outputs = ("segmentation", "confidence", "reliability")
  c.eval.analyses = ("hole_segmentation", "calibration", "scales")
  common.apply_data(c, data)
  c.masks.center_size = _CENTER_SIZE.get(data, 0.5)
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores, at 64x64."""
  c.data.image_size = 64
  c.data.builder_config = "64"
  c.model.generator.width = 16
  c.model.generator.dilations = (2, 4)
  c.model.generator.spade_hidden = 32
  c.model.generator.normalization = "none"  # or colours take hours to settle
  c.model.discriminator.widths = (16, 32, 64, 128)
  c.model.discriminator.scales = 2  # a third has no patch left
  # Sums over four times fewer channels shall be as large at the start.
  c.model.discriminator.deviation = 0.04
  for player in ("generator", "discriminator"):
    c.optimizer[player].learning_rate = 1e-3
    c.optimizer[player].b2 = 0.99
  c.optimizer.generator.b1 = 0.9
  c.optimizer.discriminator.b1 = 0.5
  c.optimizer.warmup = 20
  c.objective.perceptual = "none"  # e.g. runs/vgg, of configs/classifier_vgg.py
  c.loss_weights.generator.adversarial = 0.001
  c.masks.center, c.masks.irregular = 1.0, 0.0
  c.batch_size = 4
  c.steps = 4000  # 5 minutes
  c.checkpoint.every = 500
  c.log.every = 50
  c.log.images_every = 1000
  c.eval.batch_size = 16
