"""DeepLab v2 against kazuto1011/deeplab-pytorch, both published sizes."""

from typing import Any

import jax
import numpy as np

from sginpaint import convert
from sginpaint.backbones import deeplab
from tests.parity.golden import Golden
from tests.parity.layouts import nchw


def deeplabv2_cocostuff(golden: Golden) -> dict[str, Any]:
  """182 classes."""
  return _deeplab(golden)


def deeplabv2_voc(golden: Golden) -> dict[str, Any]:
  """21 classes."""
  return _deeplab(golden)


def _deeplab(golden: Golden) -> dict[str, Any]:
  """Logits of every scale, their maximum, labels, and the maps on the way."""
  module, variables = convert.from_torch("deeplab_v2", golden.params)
  image = 2 * golden.image() - 1
  outputs, captured = jax.jit(
    lambda *args: module.apply(*args, capture_intermediates=True)
  )(variables, image)
  nodes = captured["intermediates"]["base"]
  first, half, three_quarters = outputs["auxiliary"]
  stem = nodes["layer1_conv1"]["__call__"][0]
  maps = {
    "out/single_scale_logits": first,
    "out/msc_logits": outputs["coarse_logits"],
    "mid/stem_conv": stem,
    "mid/stem": deeplab.stem_pool(stem),
    "mid/logits_x0.5": half,
    "mid/logits_x0.75": three_quarters,
    "mid/layer5": outputs["features"],
  }
  for key, ours in (
    ("layer2.block1", "layer2_block1"),
    ("layer2", f"layer2_block{module.layers[0]}"),
    ("layer3.block1", "layer3_block1"),
    ("layer3", f"layer3_block{module.layers[1]}"),
    ("layer4", f"layer4_block{module.layers[2]}"),
    ("aspp_c0", "aspp_c0"),
    ("aspp_c3", "aspp_c3"),
  ):
    # The first of three calls, which is that of the whole size.
    maps[f"mid/{key}"] = nodes[ours]["__call__"][0]
  for scale in module.scales[1:]:
    resized = deeplab.rescale(deeplab.to_bgr(image), scale)
    maps[f"mid/input_x{scale:g}"] = resized
  logits = np.asarray(outputs["segmentation_logits"])
  two = np.sort(logits, axis=-1)[..., -2:]
  return {
    "out/upsampled_logits": nchw(logits),
    "out/label": logits.argmax(-1).astype(np.uint8),
    "out/label_min_margin": (two[..., 1] - two[..., 0]).min(),
    **{key: nchw(value) for key, value in maps.items()},
  }
