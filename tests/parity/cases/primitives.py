"""Single PyTorch operations: what our layers, Flax and optax make of them.

Where the library has the operation it is the library's that runs. The others
show with which Flax or optax call, and which options, PyTorch is met.
"""

import re
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from sginpaint.layers import normalization, resampling
from sginpaint.losses import adversarial
from tests.parity.golden import Golden
from tests.parity.layouts import nchw, nhwc

Arrays = dict[str, Any]
_CONV = re.compile(r"conv/(\d)x\d_(?:s(\d)_)?(?:d(\d)_)?p(\d)")
_RESIZE = re.compile(
  r"resize/(nearest|bilinear|bilinear_corners|bilinear_antialias|bicubic)"
  r"_(\d+)x(\d+)"
)
_FACTOR = re.compile(r"resize/(nearest|bilinear)_scale_factor_([\d.]+)")
_INDEX = re.compile(r"resize/nearest_index_(\d+)_to_(\d+)")
_ADAM = re.compile(r"(adam/b0_([\d.]+)_b1_([\d.]+))/step1")
_LEARNING_RATE, _STEPS = 0.01, 3


def torch_primitives(golden: Golden) -> Arrays:
  """Everything the golden names, by name."""
  x = nhwc(golden.input("in/x"))
  arrays = _convolutions(golden, x) | _shuffles(x) | _pools(x)
  arrays |= _norms(golden, x) | _activations(x) | _losses(golden.input("in/x"))
  for key in golden.arrays:
    if found := _RESIZE.fullmatch(key):
      size = int(found[2]), int(found[3])
      arrays[key] = nchw(_resize(x, found[1], size))
    elif found := _FACTOR.fullmatch(key):
      arrays[key] = nchw(_rescale(x, found[1], float(found[2])))
    elif found := _INDEX.fullmatch(key):
      arrays[key] = resampling.nearest_indices(int(found[1]), int(found[2]))
    elif found := _ADAM.fullmatch(key):
      steps = _adam(golden, float(found[2]), float(found[3]))
      for i, value in enumerate(steps, 1):
        arrays[f"{found[1]}/step{i}"] = value
  return arrays


def _convolutions(golden: Golden, x: np.ndarray) -> Arrays:
  bias = golden.input("in/b6")

  def conv(kernel: np.ndarray, **options: Any) -> jax.Array:
    kernel = kernel.transpose(2, 3, 1, 0)
    params = {"kernel": kernel, "bias": bias}
    module = nn.Conv(kernel.shape[-1], kernel.shape[:2], **options)
    return module.apply({"params": params}, x)

  arrays = {}
  for key in golden.arrays:
    if found := _CONV.fullmatch(key):
      stride, dilation, pad = (int(v or 1) for v in found.groups()[1:])
      arrays[key] = conv(
        golden.input(f"in/w{found[1]}"),
        strides=stride,
        kernel_dilation=dilation,
        padding=((pad, pad), (pad, pad)),
      )
  w4, w7 = golden.input("in/w4"), golden.input("in/w7")
  arrays["conv/7x7_reflect3"] = conv(w7, padding="REFLECT")
  arrays["conv/zeropad_left1_top1_4x4_p1"] = (
    conv(w4, padding=((2, 1), (2, 1))) - bias
  )
  arrays["conv/depthwise_s2_reflect1"] = nn.Conv(
    x.shape[-1],
    (3, 3),
    strides=2,
    padding="VALID",
    feature_group_count=x.shape[-1],
    use_bias=False,
  ).apply(
    {"params": {"kernel": golden.input("in/wd").transpose(2, 3, 1, 0)}},
    resampling.reflect_pad(x, 1),
  )
  arrays["conv/transpose_4x4_s2_p1"] = nn.ConvTranspose(
    len(bias), (4, 4), strides=(2, 2), padding=((2, 2), (2, 2))
  ).apply(
    {
      "params": {
        "kernel": golden.input("in/wt")[..., ::-1, ::-1].transpose(2, 3, 0, 1),
        "bias": bias,
      }
    },
    x,
  )
  return {key: nchw(value) for key, value in arrays.items()}


def _shuffles(x: np.ndarray) -> Arrays:
  b, h, w, c = x.shape

  def blocks(r: int) -> np.ndarray:
    """[B, H/r, W/r, r rows, r columns, C], an incomplete border cut off."""
    cut = x[:, : h // r * r, : w // r * r]
    cut = cut.reshape(b, h // r, r, w // r, r, c)
    return cut.transpose(0, 1, 3, 2, 4, 5)

  by_channel = blocks(2).transpose(0, 1, 2, 5, 3, 4)
  return {
    "pad/reflect2": nchw(resampling.reflect_pad(x, 2)),
    "shuffle/pixel_shuffle2": nchw(resampling.pixel_shuffle(x, 2)),
    "shuffle/pixel_unshuffle2": nchw(
      by_channel.reshape(b, h // 2, w // 2, c * 4)
    ),
    "shuffle/tresnet_space_to_depth4": nchw(
      blocks(4).reshape(b, h // 4, w // 4, 16 * c)
    ),
  }


def _resize(x: np.ndarray, method: str, size: tuple[int, int]) -> jax.Array:
  if method == "nearest":
    return resampling.resize_nearest(x, size)
  if method == "bicubic":
    weights = [
      _cubic_weights(n, m) for n, m in zip(x.shape[1:3], size, strict=True)
    ]
    return resampling.apply_weights(x, weights)
  return resampling.resize_bilinear(
    x,
    size,
    align_corners=method.endswith("corners"),
    antialias=method.endswith("antialias"),
  )


def _cubic_weights(source: int, target: int) -> np.ndarray:
  """PyTorch's cubic kernel has a = -0.75; that of jax.image has -0.5."""
  a = -0.75
  position = (np.arange(target) + 0.5) * source / target - 0.5
  first = np.floor(position).astype(int) - 1
  weights = np.zeros((target, source))
  for tap in range(4):
    d = np.abs(position - (first + tap))
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = a * (((d - 5) * d + 8) * d - 4)
    column = np.clip(first + tap, 0, source - 1)
    np.add.at(weights, (np.arange(target), column), np.where(d <= 1, near, far))
  return weights.astype(np.float32)


def _rescale(x: np.ndarray, method: str, factor: float) -> jax.Array:
  size = tuple(int(n * factor) for n in x.shape[1:3])
  if method == "nearest":
    return resampling.resize_nearest(x, size, scale=1 / factor)
  return resampling.resize_bilinear(x, size, scale=1 / factor)


def _norms(golden: Golden, x: np.ndarray) -> Arrays:
  scale, shift = golden.input("in/scale"), golden.input("in/shift")
  affine = {"scale": scale, "bias": shift}
  running = {
    "mean": golden.input("in/running_mean"),
    "var": golden.input("in/running_var"),
  }
  variables = {"params": affine, "batch_stats": running}
  batch_norm = normalization.BatchNorm()
  trained, state = batch_norm.apply(
    variables, x, train=True, mutable=["batch_stats"]
  )
  layer_norm = nn.LayerNorm(epsilon=1e-5)
  return {
    "norm/instance": nchw(normalization.instance_norm(x)),
    "norm/batch_eval": nchw(batch_norm.apply(variables, x)),
    "norm/batch_train": nchw(trained),
    "norm/batch_train_running_mean": state["batch_stats"]["mean"],
    "norm/batch_train_running_var": state["batch_stats"]["var"],
    "norm/layer_channels_last": layer_norm.apply({"params": affine}, x),
  }


def _activations(x: np.ndarray) -> Arrays:
  return {
    "act/gelu_exact": nchw(nn.gelu(x, approximate=False)),
    "act/gelu_tanh": nchw(nn.gelu(x, approximate=True)),
    "act/elu": nchw(nn.elu(x)),
    "act/leaky_0.2": nchw(nn.leaky_relu(x, 0.2)),
    "act/leaky_0.1": nchw(nn.leaky_relu(x, 0.1)),
  }


def _pools(x: np.ndarray) -> Arrays:
  h, w = x.shape[1:3]
  one = ((1, 1), (1, 1))

  def ceil(size: int, stride: int, pad: int) -> Any:
    """Padding that lets the last, incomplete window in."""
    edges = []
    for n in (h, w):
      last = -(-(n + 2 * pad - size) // stride) * stride
      # A window must not start in the padding behind the map.
      last -= stride if last >= n + pad else 0
      edges.append((pad, max(pad, last + size - n - pad)))
    return edges

  def avg(size: int, stride: int, pad: Any, counted: bool = False) -> Any:
    window, strides = (size, size), (stride, stride)
    return nchw(nn.avg_pool(x, window, strides, pad, count_include_pad=counted))

  def maximum(size: int, stride: int, pad: Any) -> Any:
    return nchw(nn.max_pool(x, (size, size), (stride, stride), pad))

  arrays = {
    "pool/avg3_s2_p1_excl_pad": avg(3, 2, one),
    "pool/avg3_s1_p1_incl_pad": avg(3, 1, one, True),
    "pool/avg3_s1_p1_excl_pad": avg(3, 1, one),
    "pool/avg2_s2_ceil_excl_pad": avg(2, 2, ceil(2, 2, 0)),
    "pool/max3_s2_p1": maximum(3, 2, one),
    "pool/max3_s2_p1_ceil": maximum(3, 2, ceil(3, 2, 1)),
    "pool/max3_s2": maximum(3, 2, "VALID"),
    "pool/max3_s1_p1": maximum(3, 1, one),
  }
  rows, columns = _bins(h, 3), _bins(w, 2)
  pooled = [[x[:, r, c].mean((1, 2)) for c in columns] for r in rows]
  arrays["pool/adaptive_avg_3x2"] = np.array(pooled).transpose(2, 3, 0, 1)
  return arrays


def _bins(n: int, count: int) -> list[slice]:
  return [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _losses(x: np.ndarray) -> Arrays:
  # Label rule of the golden: C + 1 labels, of which the last means "ignore".
  classes = x.shape[1]
  labels = (np.abs(x[:, 0]) * np.float32(10)).astype(np.int32) % (classes + 1)
  losses = optax.softmax_cross_entropy_with_integer_labels(
    nhwc(x), np.minimum(labels, classes - 1)
  )
  known = labels < classes
  # PyTorch clamps the logarithms of its BCE at -100.
  probability, target = np.array([0, 1, 1e-30]), np.array([1, 0, 1])
  with np.errstate(divide="ignore"):
    ones = np.maximum(np.log(probability), -100)
    zeros = np.maximum(np.log1p(-probability), -100)
  return {
    "loss/bce_real": jnp.mean(adversarial.real_loss(x)),
    "loss/bce_fake": jnp.mean(adversarial.fake_loss(x)),
    "loss/bce_saturated": -np.mean(target * ones + (1 - target) * zeros),
    "loss/cross_entropy_ignore255": jnp.sum(losses * known) / known.sum(),
  }


def _adam(golden: Golden, b1: float, b2: float) -> list[np.ndarray]:
  shift = golden.input("in/shift")
  p = jnp.asarray(golden.input("in/scale"))
  tx = optax.adam(_LEARNING_RATE, b1=b1, b2=b2, eps=1e-8)
  state, steps = tx.init(p), []
  for _ in range(_STEPS):
    gradient = jax.grad(lambda p: jnp.sum(shift * p**2))(p)
    updates, state = tx.update(gradient, state)
    p = optax.apply_updates(p, updates)
    steps.append(np.asarray(p))
  return steps
