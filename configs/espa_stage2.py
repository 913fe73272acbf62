"""ESPA, stage 2: the semantic decoder on the features of a held autoencoder.

  python train.py --config=configs/espa_stage2.py:quick \\
    --workdir=runs/espa_stage2

It begins with runs/espa_stage1, and for serving takes over the segmenter in
runs/segmenter, which reads the coarse result; train that with
configs/segmenter.py (at the same size and on the same data), or write
--config.objective.segmenter=none and give a map with every picture (evaluate
with --config.eval.guidance=truth). Training guides by the labels of the data
set, or by those in `config.data.labels`.
"""

from ml_collections import ConfigDict

from configs import common, espa_stage1


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = espa_stage1.get_config(arg)
  c.init_from = ConfigDict({"generator/autoencoder": "runs/espa_stage1"})
  c.model.generator.decoder = ConfigDict(
    {
      "widths": (256, 256, 128, 64),  # of its SPADE blocks
      "hidden": 128,  # channels of SPADE
    }
  )
  c.model.discriminator = ConfigDict(
    {
      "kind": "patch70",  # patch70 | official (94x94)
      "widths": (64, 128, 256, 512),
    }
  )
  c.objective.stage = 2
  c.objective.segmenter = "runs/segmenter"
  c.loss_weights.generator.adversarial = 0.01  # lambda_adv
  c.loss_weights.discriminator = ConfigDict({"adversarial": 1.0})
  # Stage 2 computes no gradients of it; this spares the optimiser's moments,
  # and keeps weight decay off.
  c.optimizer.frozen = ("generator/autoencoder",)
  c.optimizer.discriminator.learning_rate = 2e-4
  c.eval.analyses = ("hole_segmentation",)
  if quick:
    make_quick(c)
  return c


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores, at 64x64."""
  c.model.generator.decoder.widths = (64, 64, 32, 16)
  c.model.generator.decoder.hidden = 32
  c.model.discriminator.widths = (16, 32, 64, 128)
  c.loss_weights.generator.adversarial = 0.001
  c.optimizer.discriminator.learning_rate = 1e-3
  c.optimizer.discriminator.b1 = 0.5
  c.optimizer.discriminator.b2 = 0.99
