"""VGG-16 and VGG-19 (Simonyan and Zisserman, ICLR 2015), NHWC.

The networks of perceptual losses and of retrieval, without batch norms, as in
torchvision. Images come in [-1, 1] and are turned into ImageNet's mean and
deviation here. Outputs, for VGG-16 on [B, H, W, 3], sizes rounded down:

  relu1_1 relu1_2 [B, H, W, 64]              pool1 [B, H/2, W/2, 64]
  relu2_1 relu2_2 [B, H/2, W/2, 128]         pool2 [B, H/4, W/4, 128]
  relu3_1 .. relu3_3 [B, H/4, W/4, 256]      pool3 [B, H/8, W/8, 256]
  relu4_1 .. relu4_3 [B, H/8, W/8, 512]      pool4 [B, H/16, W/16, 512]
  relu5_1 .. relu5_3 [B, H/16, W/16, 512]    pool5 [B, H/32, W/32, 512]
  fc7 [B, 4096]            second fully connected layer, rectified
  features [B, 4096]       the same; global mean of the last pool if head="mean"
  logits [B, num_classes]  float32

VGG-19 has four layers in its stages 3 to 5. Who needs a few of the maps takes
them from the dict: under `jax.jit` XLA drops every layer behind the last one
that is used, so that nothing has to be said about where to stop. Layers are
called `conv2_1` and `fc6` as in the authors' own release.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.backbones.resnet import imagenet_normalize
from sginpaint.errors import UserError
from sginpaint.layers.normalization import statistics_type

VGG16 = (2, 2, 3, 3, 3)
VGG19 = (2, 2, 4, 4, 4)
_GRID = 7  # side of what the fully connected layers see

# By the inputs: without batch norms activations must keep their size, or the
# first hundred steps of a training are lost.
_kernel_init = nn.initializers.variance_scaling(2.0, "fan_in", "normal")


def adaptive_mean(x: chex.Array, size: int) -> jax.Array:
  """Means of [B, H, W, C] over a grid of `size` x `size` cells.

  Cell i covers the rows floor(i H / size) to ceil((i + 1) H / size), so that
  cells of small maps overlap: the adaptive average pool of PyTorch.
  """
  chex.assert_rank(x, 4)
  if x.shape[1:3] == (size, size):
    return x
  rows, columns = (_cells(side, size, x.dtype) for side in x.shape[1:3])
  # Sums of products are rounded to bfloat16 on a TPU unless told.
  return jnp.einsum("bhwc,ih,jw->bijc", x, rows, columns, precision="highest")


def _cells(side: int, size: int, dtype: Any) -> jax.Array:
  """[size, side]: what each position contributes to each cell."""
  first = np.arange(size) * side // size
  end = -(-np.arange(1, size + 1) * side // size)
  position = np.arange(side)
  inside = (position >= first[:, None]) & (position < end[:, None])
  return jnp.asarray(inside / (end - first)[:, None], dtype)


class VGG(nn.Module):
  """The whole network, or its convolutions alone; the defaults are VGG-16.

  Attributes:
    num_classes: size of `logits`; None = no head at all.
    layers: convolutions of each stage; a stage ends in a 2x2 maximum.
    widths: channels of each stage.
    head: "dense", the published one with two hidden layers (its dropout is not
      built); or "mean", one linear layer on the global mean, which a network
      trained here on some thousand pictures wants.
    hidden: sizes of fc6 and fc7 of the "dense" head.
    normalize: whether the image is turned into ImageNet's mean and deviation;
      if not, it goes in as it is.
    dtype: of the computation; parameters stay float32.
  """

  num_classes: int | None = None
  layers: Sequence[int] = VGG16
  widths: Sequence[int] = (64, 128, 256, 512, 512)
  head: Literal["dense", "mean"] = "dense"
  hidden: tuple[int, int] = (4096, 4096)
  normalize: bool = True
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(
    self, image: chex.Array, *, train: bool = False
  ) -> dict[str, jax.Array]:
    """Classifies pictures.

    Args:
      image: [B, H, W, 3] in [-1, 1], any H and W; at least 32 with a head.
      train: changes nothing; every classifier takes it.

    Returns:
      The maps and vectors of the module's docstring; `reluS_L` as it leaves
      the ReLU of layer L of stage S.

    Raises:
      UserError: `head` is not known.
      ValueError: the picture is too small for the head, or `layers` and
        `widths` differ in length.
    """
    del train
    if self.head not in ("dense", "mean"):
      raise UserError(f"VGG head {self.head!r} is not known; dense or mean")
    chex.assert_shape(image, (None, None, None, 3))
    chex.assert_type(image, float)
    x = imagenet_normalize(image) if self.normalize else image
    outputs = {}
    stages = zip(self.layers, self.widths, strict=True)
    for stage, (layers, width) in enumerate(stages, 1):
      for layer in range(1, layers + 1):
        x = nn.Conv(
          width,
          (3, 3),
          kernel_init=_kernel_init,
          dtype=self.dtype,
          name=f"conv{stage}_{layer}",
        )(x)
        x = outputs[f"relu{stage}_{layer}"] = nn.relu(x)
      x = outputs[f"pool{stage}"] = nn.max_pool(x, (2, 2), (2, 2))
    if self.num_classes is None:
      return outputs
    if not x.size:
      raise ValueError(f"a picture of {image.shape[1:3]} is too small for VGG")
    return outputs | self._classify(x, self.num_classes)

  def _classify(self, x: jax.Array, classes: int) -> dict[str, jax.Array]:
    dense = functools.partial(
      nn.Dense, kernel_init=nn.initializers.normal(0.01)
    )
    if self.head == "mean":
      features = jnp.mean(statistics_type(x), (1, 2))
      logits = dense(classes, name="fc")(features)
      return {"features": features, "logits": logits}
    x = adaptive_mean(statistics_type(x), _GRID)
    # The published kernels run over (C, H, W).
    x = x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)
    for name, size in zip(("fc6", "fc7"), self.hidden, strict=True):
      x = nn.relu(dense(size, dtype=self.dtype, name=name)(x))
    fc7 = statistics_type(x)
    logits = dense(classes, name="fc8")(fc7)
    return {"fc7": fc7, "features": fc7, "logits": logits}


def official_indices(layers: Sequence[int]) -> dict[str, int]:
  """{"conv1_1": 0, "relu1_1": 1, ..., "pool1": 4, ...}: N of `features.N`."""
  names = []
  for stage, count in enumerate(layers, 1):
    for layer in range(1, count + 1):
      names += [f"conv{stage}_{layer}", f"relu{stage}_{layer}"]
    names.append(f"pool{stage}")
  return {name: index for index, name in enumerate(names)}


def convolution_rows(
  layers: Sequence[int], prefix: str = ""
) -> tuple[tuple[str, str, str], ...]:
  """Rows (PyTorch layer, `prefix` + Flax layer, kind) of the convolutions."""
  return tuple(
    (f"features.{index}", prefix + name, "conv")
    for name, index in official_indices(layers).items()
    if name.startswith("conv")
  )


def read_widths(
  shapes: Mapping[str, tuple[int, ...]], layers: Sequence[int]
) -> tuple[int, ...]:
  """Channels of each stage, off the shapes of the official tensors."""
  indices = official_indices(layers)
  return tuple(
    shapes[f"features.{indices[f'conv{stage}_1']}.weight"][0]
    for stage in range(1, len(layers) + 1)
  )


def build(
  shapes: Mapping[str, tuple[int, ...]], *, layers: Sequence[int]
) -> VGG:
  """The network of these tensors; without `classifier.*` it has no head."""
  net = VGG(layers=layers, widths=read_widths(shapes, layers))
  if not any(name.startswith("classifier.") for name in shapes):
    return net
  sizes = [shapes[f"classifier.{i}.weight"][0] for i in (0, 3, 6)]
  return net.clone(num_classes=sizes[2], hidden=tuple(sizes[:2]))


def _torch(layers: Sequence[int]) -> dict[str, Any]:
  """torchvision's names, for `sginpaint.convert`."""
  return {
    "layers": (
      *convolution_rows(layers),
      ("classifier.0", "fc6", "dense"),
      ("classifier.3", "fc7", "dense"),
      ("classifier.6", "fc8", "dense"),
    ),
    "build": functools.partial(build, layers=layers),
    "inputs": ((1, 32, 32, 3),),
    "prefix": "vgg",
  }


TORCH_VGG16 = _torch(VGG16)
TORCH_VGG19 = _torch(VGG19)
