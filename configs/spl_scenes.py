"""The small SPL in `assets/spl_scenes`: embedded scenes, trained longer.

  make assets

The quick network of configs/spl.py, a little deeper, on the same 64x64 scenes
with the quickstart's own kind of teacher; only the training is longer.
"""

from ml_collections import ConfigDict

from configs import spl


def get_config(arg: str = "") -> ConfigDict:
  c = spl.get_config(",".join(filter(None, ("quick", arg))))
  c.model.generator.blocks = 3
  c.model.generator.residual_blocks = 3
  c.steps = 40_000
  c.loss_weights.generator.adversarial = 0.02
  c.ema_decay = 0.999
  c.checkpoint.every = 500
  c.log.every = 100
  c.log.images_every = 1000
  return c
