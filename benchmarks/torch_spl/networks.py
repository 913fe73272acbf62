"""SPL's networks in PyTorch, layer for layer those of `systems.spl`.

Written for this comparison, as plainly as PyTorch users write: pads, norms and
concatenations where the layers have them. Parameters bear the names of the
published checkpoints, so that `sginpaint.convert` carries weights across.
Layout [B, C, H, W]; pictures in [-1, 1], masks [B, 1, H, W] with 1 = hole.
"""

import torch
from torch import nn
from torch.nn import functional

_EPSILON = 1e-5
_THRESHOLD = 0.8  # of RegionNormLearned


def _padded(inputs: int, outputs: int, kernel: int, dilation: int = 1):
  """Reflect padding, and a convolution that then keeps the size."""
  edge = dilation * (kernel // 2)
  return (
    nn.ReflectionPad2d(edge),
    nn.Conv2d(inputs, outputs, kernel, dilation=dilation),
  )


def _region_norm(x: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
  area = region.sum((2, 3), keepdim=True)
  area = torch.where(area == 0, 1.0, area)
  mean = (x * region).sum((2, 3), keepdim=True) / area
  filled = x * region + mean * (1 - region)
  normed = functional.instance_norm(filled, eps=_EPSILON)
  share = area / (x.shape[2] * x.shape[3])
  return normed * share.sqrt() * region


def region_norm(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
  """Hole and known region, each normalised over itself."""
  x, mask = x.float(), mask.float()
  return _region_norm(x, mask) + _region_norm(x, 1 - mask)


class RegionNormBasic(nn.Module):
  """Region norm by the hole mask, one affine pair per region."""

  def __init__(self, channels: int):
    super().__init__()
    for name in ("foreground", "background"):
      for kind in ("gamma", "beta"):
        values = nn.Parameter(torch.zeros(channels))
        self.register_parameter(f"{name}_{kind}", values)

  def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Normalises [B, C, H, W] by a mask of any size."""
    mask = functional.interpolate(mask, size=x.shape[2:], mode="nearest")
    y = region_norm(x, mask)
    wide = lambda values: values[None, :, None, None]
    hole = y * mask * (1 + wide(self.foreground_gamma))
    known = y * (1 - mask) * (1 + wide(self.background_gamma))
    hole = hole + wide(self.foreground_beta)
    return (hole + known + wide(self.background_beta)).to(x.dtype)


class _Importance(nn.Module):
  def __init__(self):
    super().__init__()
    self.conv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)
    self.gamma_conv = nn.Conv2d(1, 1, 7, padding=3)
    self.beta_conv = nn.Conv2d(1, 1, 7, padding=3)

  def forward(self, x):
    pooled = torch.cat([x.mean(1, True), x.amax(1, True)], 1)
    importance = torch.sigmoid(self.conv1(pooled))
    return importance, self.gamma_conv(importance), self.beta_conv(importance)


class RegionNormLearned(nn.Module):
  """Region norm by a mask found in the features themselves."""

  def __init__(self):
    super().__init__()
    self.sa = _Importance()

  def forward(self, x: torch.Tensor) -> torch.Tensor:
    """Normalises [B, C, H, W]."""
    importance, gamma, beta = self.sa(x)
    y = region_norm(x, (importance >= _THRESHOLD).float())
    return (y * (1 + gamma) + beta).to(x.dtype)


class Spade(nn.Module):
  """Instance norm, modulated by maps read off the guidance."""

  def __init__(self, channels: int, hidden: int):
    super().__init__()
    conv = lambda i, o: nn.Conv2d(i, o, 3, padding=1)
    self.mlp_shared = nn.Sequential(conv(channels, hidden), nn.ReLU())
    self.mlp_gamma = conv(hidden, channels)
    self.mlp_beta = conv(hidden, channels)

  def forward(self, x: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """Modulates [B, C, H, W] by guidance of the same size."""
    y = functional.instance_norm(x, eps=_EPSILON)
    hidden = self.mlp_shared(guidance)
    return y * (1 + self.mlp_gamma(hidden)) + self.mlp_beta(hidden)


class SpadeBlock(nn.Module):
  """x + twice (SPADE, ReLU, 3x3 convolution)."""

  def __init__(self, channels: int, hidden: int):
    super().__init__()
    self.conv_block = nn.ModuleList(
      (
        Spade(channels, hidden),
        nn.ReLU(),
        *_padded(channels, channels, 3, dilation=2),
        Spade(channels, hidden),
        nn.ReLU(),
        *_padded(channels, channels, 3),
      )
    )

  def forward(self, x: torch.Tensor, guidance: torch.Tensor) -> torch.Tensor:
    """Maps [B, C, H, W] to the same shape."""
    y = x
    for layer in self.conv_block:
      y = layer(y, guidance) if isinstance(layer, Spade) else layer(y)
    return x + y


class ResidualBlock(nn.Module):
  """x + conv(ReLU(conv(x))), reflect padding."""

  def __init__(self, channels: int):
    super().__init__()
    first, second = (_padded(channels, channels, 3) for _ in range(2))
    self.conv_block = nn.Sequential(*first, nn.ReLU(), *second)

  def forward(self, x: torch.Tensor) -> torch.Tensor:
    """Maps [B, C, H, W] to the same shape."""
    return x + self.conv_block(x)


class _DenseLayer(nn.Module):
  def __init__(self, inputs: int, growth: int):
    super().__init__()
    self.conv = nn.Conv2d(inputs, growth, 3, padding=1)

  def forward(self, x):
    return torch.cat([x, functional.relu(self.conv(x))], 1)


class DenseBlock(nn.Module):
  """Densely connected convolutions, fused by a 1x1 one and added to x."""

  def __init__(self, channels: int, growth: int, layers: int):
    super().__init__()
    self.layers = nn.Sequential(
      *(_DenseLayer(channels + i * growth, growth) for i in range(layers))
    )
    self.lff = nn.Conv2d(channels + layers * growth, channels, 1)

  def forward(self, x: torch.Tensor) -> torch.Tensor:
    """Maps [B, C, H, W] to the same shape."""
    return x + self.lff(self.layers(x))


class Generator(nn.Module):
  """SPL's generator, "dense" learner, SPADE fusion, region norms."""

  def __init__(
    self,
    *,
    width: int = 64,
    blocks: int = 8,
    dense_blocks: int = 16,
    dense_layers: int = 6,
    residual_blocks: int = 4,
    prior_channels: int = 152,
  ):
    super().__init__()
    w, n = width, 4 * width
    halve = lambda i, o: nn.Conv2d(i, o, 4, stride=2, padding=1)
    self.pad = nn.ReflectionPad2d(3)
    self.encoder_conv1 = nn.Conv2d(3, w, 7)
    self.encoder_conv2, self.encoder_conv3 = halve(w, 2 * w), halve(2 * w, n)
    self.encoder_in1 = RegionNormBasic(w)
    self.encoder_in2 = RegionNormBasic(2 * w)
    self.encoder_in3 = RegionNormBasic(n)
    self.encoder_conv1_sm = nn.Conv2d(4, w, 7)
    self.encoder_conv2_sm = halve(w, 2 * w)
    self.encoder_conv3_sm = halve(2 * w, n)
    self.encoder_conv4_sm = halve(n, n)
    self.encoder_sm_out = nn.Conv2d(n, n, 3, padding=1)
    self.rdbs = nn.ModuleList(
      DenseBlock(n, w // 2, dense_layers) for _ in range(dense_blocks)
    )
    self.gff = nn.Sequential(
      nn.Conv2d(dense_blocks * n, n, 1), nn.Conv2d(n, n, 3, padding=1)
    )
    self.feature_recon = nn.Sequential(
      *(ResidualBlock(n) for _ in range(residual_blocks))
    )
    self.feature_mapping = nn.Conv2d(n, prior_channels, 1)
    self.middle = nn.ModuleList(SpadeBlock(n, 2 * w) for _ in range(blocks))
    self.decoder = nn.Sequential(
      *(nn.Conv2d(n, 8 * w, 3, padding=1), nn.PixelShuffle(2)),
      *(RegionNormLearned(), nn.ReLU()),
      *(nn.Conv2d(2 * w, 4 * w, 3, padding=1), nn.PixelShuffle(2)),
      *(RegionNormLearned(), nn.ReLU()),
      *_padded(w, 3, 7),
    )

  def forward(
    self, image: torch.Tensor, mask: torch.Tensor
  ) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns (image [B, 3, H, W] in [-1, 1], prior [B, F, H/4, W/4])."""
    picture = (image + 1) / 2 * (1 - mask) + mask
    x = functional.relu(
      self.encoder_in1(self.encoder_conv1(self.pad(picture)), mask)
    )
    x = functional.relu(self.encoder_in2(self.encoder_conv2(x), mask))
    x = functional.relu(self.encoder_in3(self.encoder_conv3(x), mask))
    semantics = self._semantics(picture, mask)
    prior = self.feature_mapping(semantics)
    for block in self.middle:
      x = block(x, semantics)
    return torch.tanh(self.decoder(x).float()), prior.float()

  def _semantics(self, picture, mask):
    x = torch.cat([picture, mask], 1)
    x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
    leaky = lambda x: functional.leaky_relu(x, 0.1)
    x = leaky(self.encoder_conv1_sm(self.pad(x)))
    x = leaky(self.encoder_conv2_sm(x))
    x = leaky(self.encoder_conv3_sm(x))
    x = leaky(self.encoder_conv4_sm(x))
    y, outputs = self.encoder_sm_out(x), []
    for block in self.rdbs:
      y = block(y)
      outputs.append(y)
    return self.feature_recon(x + self.gff(torch.cat(outputs, 1)))


class Discriminator(nn.Module):
  """SPL's 70x70 patch discriminator: logits [B, 1, h, w]."""

  def __init__(self, widths: tuple[int, ...] = (64, 128, 256, 512)):
    super().__init__()
    sizes = (3, *widths, 1)
    strides = (*(2,) * (len(widths) - 1), 1, 1)
    for i, stride in enumerate(strides):
      conv = nn.Conv2d(*sizes[i : i + 2], 4, stride, padding=1, bias=False)
      layers = [nn.utils.spectral_norm(conv)]
      if i < len(widths):
        layers.append(nn.LeakyReLU(0.2))
      setattr(self, f"conv{i + 1}", nn.Sequential(*layers))
    self.count = len(strides)

  def forward(self, image: torch.Tensor) -> torch.Tensor:
    """Scores a picture [B, 3, H, W] in [-1, 1]."""
    x = (image + 1) / 2
    for i in range(self.count):
      x = getattr(self, f"conv{i + 1}")(x)
    return x.float()
