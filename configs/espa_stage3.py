"""ESPA, stage 3: both networks, on the losses of stages 1 and 2 together.

  python train.py --config=configs/espa_stage3.py:quick \\
    --workdir=runs/espa_stage3

It begins with the generator of runs/espa_stage2; the discriminator is new.
"""

from ml_collections import ConfigDict

from configs import espa_stage2


def get_config(arg: str = "") -> ConfigDict:
  c = espa_stage2.get_config(arg)
  c.init_from = ConfigDict({"generator": "runs/espa_stage2"})
  c.objective.stage = 3
  c.loss_weights.generator.coarse_image = 1.0  # lambda_rec
  c.loss_weights.generator.coarse_perceptual = 1.0  # lambda_per
  c.optimizer.frozen = ()
  return c
