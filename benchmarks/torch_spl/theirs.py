"""PyTorch's side, from our config; nothing here imports JAX."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from benchmarks.torch_spl.training import Losses, Mode, Trainer

_GENERATOR = (
  "width",
  "blocks",
  "dense_blocks",
  "residual_blocks",
  "prior_channels",
)


def build_trainer(config: ConfigDict, mode: Mode) -> Trainer:
  """The PyTorch side, with fresh weights."""
  model, player = config.model, config.optimizer.generator
  weights = config.loss_weights.generator
  return Trainer(
    generator={name: model.generator[name] for name in _GENERATOR},
    discriminator={"widths": tuple(model.discriminator.widths)},
    losses=Losses(
      image=weights.image,
      adversarial=weights.adversarial,
      prior=weights.prior,
      alpha=config.objective.alpha,
      delta=config.objective.delta,
    ),
    adam={
      "lr": player.learning_rate,
      "betas": (player.b1, player.b2),
      "eps": player.eps,
    },
    mode=mode,
  )


def torch_runs(
  trainer: Trainer, batch: Mapping[str, np.ndarray]
) -> dict[str, Callable[[], Any]]:
  """{"inference", "step"}: PyTorch's side; each call waits for its result."""
  tensors = [trainer.put(batch[name]) for name in ("image", "mask", "teacher")]
  picture = tensors[0].float() / 127.5 - 1.0

  def step() -> None:
    trainer.step(*tensors)
    trainer.wait()

  def predict() -> None:
    trainer.predict(picture, tensors[1])
    trainer.wait()

  return {"inference": predict, "step": step}
