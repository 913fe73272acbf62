"""SPL's training step and inference in PyTorch, eager or compiled.

The same step as ours: discriminator on the picture and on the stopped
prediction (eq. 11, halved), then the generator against the new discriminator
(eqs. 5, 9, 10), Adam for both, one power iteration per pass.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.torch_spl.networks import Discriminator, Generator

Arrays = dict[str, np.ndarray]
_PLAYERS = ("generator", "discriminator")


@dataclasses.dataclass(frozen=True)
class Mode:
  """How PyTorch runs.

  Attributes:
    compiled: through `torch.compile`.
    channels_last: memory format of pictures and kernels.
    amp: bfloat16 where autocast takes it.
  """

  compiled: bool = False
  channels_last: bool = False
  amp: bool = False


MODES: Mapping[str, Mode] = {
  "eager": Mode(),
  "channels_last": Mode(channels_last=True),
  "compiled": Mode(compiled=True, channels_last=True, amp=True),
}


@dataclasses.dataclass(frozen=True)
class Losses:
  """Weights of the terms, and the extra weights of the hole."""

  image: float
  adversarial: float
  prior: float
  alpha: float
  delta: float


def device_name() -> str:
  """Where PyTorch runs here."""
  return "cuda" if torch.cuda.is_available() else "cpu"


def set_threads(count: int) -> None:
  """Threads of PyTorch's own on the CPU."""
  torch.set_num_threads(count)


class Trainer:
  """Both networks, both optimisers and one batch on the device."""

  def __init__(
    self,
    *,
    generator: Mapping[str, Any],
    discriminator: Mapping[str, Any],
    losses: Losses,
    adam: Mapping[str, Any],
    mode: Mode,
    seed: int = 0,
  ):
    """Builds networks of fresh values.

    Args:
      generator: keyword arguments of the generator.
      discriminator: of the discriminator.
      losses: see `Losses`.
      adam: keyword arguments of `torch.optim.Adam`.
      mode: how to run.
      seed: of the values.
    """
    torch.manual_seed(seed)
    self.mode, self.losses = mode, losses
    self.device = torch.device(device_name())
    self.generator = self._placed(Generator(**generator))
    self.discriminator = self._placed(Discriminator(**discriminator))
    self._adam = adam
    compile_ = torch.compile if mode.compiled else lambda module: module
    self._generate = compile_(self.generator)
    self._judge = compile_(self.discriminator)

  @functools.cached_property
  def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
    # Not before the first step: they import a part of PyTorch, 90 MB, that
    # inference does without.
    return {
      name: torch.optim.Adam(getattr(self, name).parameters(), **self._adam)
      for name in _PLAYERS
    }

  def _placed(self, module: torch.nn.Module) -> torch.nn.Module:
    module = module.to(self.device)
    if self.mode.channels_last:
      return module.to(memory_format=torch.channels_last)
    return module

  def weights(self) -> dict[str, Arrays]:
    """{player: state dict}, as copies."""
    return {
      name: {
        key: value.detach().cpu().numpy().copy()
        for key, value in getattr(self, name).state_dict().items()
      }
      for name in _PLAYERS
    }

  def gradients(self) -> dict[str, Arrays]:
    """{player: {name of the parameter: gradient}} of the last step."""
    return {
      name: {
        key: value.grad.cpu().numpy().copy()
        for key, value in getattr(self, name).named_parameters()
        if value.grad is not None
      }
      for name in _PLAYERS
    }

  def put(self, array: np.ndarray) -> torch.Tensor:
    """[B, H, W, C] numpy to [B, C, H, W] on the device."""
    tensor = torch.from_numpy(np.moveaxis(np.asarray(array), -1, 1).copy())
    tensor = tensor.to(self.device)
    if self.mode.channels_last:
      return tensor.to(memory_format=torch.channels_last)
    return tensor

  def autocast(self) -> contextlib.AbstractContextManager:
    """bfloat16 where the mode says so."""
    if not self.mode.amp:
      return contextlib.nullcontext()
    return torch.autocast(self.device.type, torch.bfloat16)

  def step(
    self, image: torch.Tensor, mask: torch.Tensor, teacher: torch.Tensor
  ) -> dict[str, torch.Tensor]:
    """One update of both players.

    Args:
      image: uint8 [B, 3, H, W].
      mask: float32 [B, 1, H, W], 1 = hole.
      teacher: float32 [B, F, H/4, W/4].

    Returns:
      Losses by the names of our metrics.
    """
    image = image.float() / 127.5 - 1.0
    with self.autocast():
      predicted, prior = self._generate(image, mask)
    game = self._update_discriminator(image, predicted.detach())
    self.discriminator.requires_grad_(False)
    with self.autocast():
      fake = self._judge(predicted)
    terms = self._terms(image, mask, teacher, predicted, prior, fake)
    weights = dataclasses.asdict(self.losses)
    total = sum(weights[name] * term for name, term in terms.items())
    optimizer = self._optimizers["generator"]
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    optimizer.step()
    self.discriminator.requires_grad_(True)
    return {
      "loss/discriminator": game,
      "loss/generator": total.detach(),
      **{f"generator/{name}": t.detach() for name, t in terms.items()},
    }

  def _terms(self, image, mask, teacher, predicted, prior, fake):
    weight = 1 + self.losses.delta * mask
    small = functional.interpolate(mask, size=prior.shape[2:], mode="nearest")
    prior_weight = 1 + self.losses.alpha * small
    return {
      # The paper's pictures are in [0, 1], these in [-1, 1].
      "image": 0.5 * ((predicted - image).abs() * weight).mean(),
      "adversarial": functional.softplus(-fake).mean(),
      "prior": ((prior - teacher).abs() * prior_weight).mean(),
    }

  def _update_discriminator(
    self, real: torch.Tensor, fake: torch.Tensor
  ) -> torch.Tensor:
    optimizer = self._optimizers["discriminator"]
    optimizer.zero_grad(set_to_none=True)
    game = torch.zeros((), device=self.device)
    # One gradient after the other: a compiled pass overwrites the vectors of
    # the spectral norm that the last one's gradient would still need.
    for picture, sign in ((real, -1.0), (fake, 1.0)):
      with self.autocast():
        score = self._judge(picture)
      half = 0.5 * functional.softplus(sign * score).mean()
      half.backward()
      game += half.detach()
    optimizer.step()
    return game

  def predict(self, image: torch.Tensor, mask: torch.Tensor) -> Any:
    """(image, prior) of pictures float32 in [-1, 1], without gradients."""
    with torch.inference_mode(), self.autocast():
      return self._generate(image, mask)

  def wait(self) -> None:
    """Until the device has done all."""
    if self.device.type == "cuda":
      torch.cuda.synchronize()

  def peak_bytes(self) -> int | None:
    """Most memory on the device; None on the CPU."""
    if self.device.type != "cuda":
      return None
    return torch.cuda.max_memory_allocated()
