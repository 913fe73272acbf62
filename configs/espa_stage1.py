"""ESPA, stage 1: the autoencoder with external spatial attention.

Yu et al., "Interactive Image Inpainting Using Semantic Guidance" (2022).

  python train.py --config=configs/espa_stage1.py:quick \\
    --workdir=runs/espa_stage1

Then `configs/espa_stage2.py` trains the semantic decoder on its features and
`configs/espa_stage3.py` both; each begins with the checkpoint of the one
before. The numbers are the paper's; it stretches every picture to 256x256.
`quick` is a narrow network at 64x64 for a laptop, on centred holes, without
perceptual loss.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
  quick, data = common.parse_arg(arg)
  c = common.get_config()
  c.system = "espa"
  c.model.generator = ConfigDict(
    {
      "autoencoder": {
        "width": 32,  # channels at full size; at a quarter 4 times it
        "attention": True,  # the branch of eqs. 2-3
      },
      "decoder": None,  # of stages 2 and 3
    }
  )
  c.objective.stage = 1
  # A workdir: converted from VGG-19's published weights, or trained with
  # configs/classifier_vgg.py; or random:<seed>, or none.
  c.objective.perceptual = "runs/vgg19"
  # Predicts the map that is shown and guides: a workdir, or none.
  c.objective.segmenter = "none"
  c.loss_weights.generator = ConfigDict(
    {
      "image": 1.0,  # lambda_rec
      "perceptual": 1.0,  # lambda_per
    }
  )
  c.steps = 1_000_000
  c.batch_size = 1
  c.optimizer.generator.learning_rate = 2e-4
  c.optimizer.schedule = "linear"
  c.masks.rectangle = c.masks.irregular = 0.5
  c.eval.masks = "center"
  c.eval.outputs = ("coarse", "segmentation", "confidence")
  common.apply_data(c, data)
  c.data.resize = "stretch"
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores, at 64x64."""
  c.data.image_size = 64
  c.data.builder_config = "64"
  c.model.generator.autoencoder.width = 16
  c.objective.perceptual = "none"  # e.g. runs/vgg, of configs/classifier_vgg.py
  c.optimizer.generator.learning_rate = 1e-3
  c.optimizer.generator.b1 = 0.9
  c.optimizer.generator.b2 = 0.99
  c.optimizer.warmup = 20
  c.masks.rectangle, c.masks.irregular, c.masks.center = 0.0, 0.0, 1.0
  c.batch_size = 4
  c.steps = 4000
  c.checkpoint.every = 500
  c.log.every = 50
  c.eval.batch_size = 16
