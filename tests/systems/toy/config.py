"""The config of the fifth system, as small as it gets."""

from ml_collections import ConfigDict

from configs import common


def get_config(arg: str = "") -> ConfigDict:
  _, data = common.parse_arg(arg, data="folder")
  c = common.get_config()
  c.system = "toy"
  c.model.generator = ConfigDict({"width": 4})
  c.model.discriminator = ConfigDict({"widths": (4, 4)})
  c.objective.delta = 4.0
  c.objective.perceptual = "none"
  c.loss_weights.generator = ConfigDict({"image": 1.0, "game": 0.1})
  c.loss_weights.discriminator = ConfigDict({"game": 1.0})
  common.apply_data(c, data)
  c.data.image_size = 32
  c.batch_size, c.steps = 2, 2
  c.log.every, c.log.images_every = 1, 2
  c.eval.batch_size, c.eval.panels = 2, 1
  c.eval.baselines = ("mean_color",)
  return c
