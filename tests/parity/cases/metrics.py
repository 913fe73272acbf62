"""Image metrics against scikit-image and SPL's evaluation script."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sginpaint.evaluation import metrics
from tests.parity.golden import Golden
from tests.parity.layouts import nhwc

_SSIM = {
  "ssim_win11": {"window": "uniform", "size": 11, "sample_covariance": True},
  "ssim_win7": {"window": "uniform", "size": 7, "sample_covariance": True},
  "ssim_gauss": {"window": "gaussian", "size": 11, "sigma": 1.5},
}


def _scores(truth: Any, picture: Any) -> dict[str, jax.Array]:
  return {
    "psnr": metrics.psnr(truth, picture),
    "l1_spl": metrics.l1_spl(truth, picture),
    "mae_per_channel": metrics.mae(truth, picture),
    **{
      name: metrics.ssim(truth, picture, **options)
      for name, options in _SSIM.items()
    },
  }


def _ssim_map(truth: np.ndarray, picture: np.ndarray, name: str) -> Any:
  """Score of the window around every pixel, [H, W, C], mirrored border."""
  side = _SSIM[name]["size"]

  def windows(x: np.ndarray) -> np.ndarray:
    edge = (side // 2, side // 2)
    padded = np.pad(x, (edge, edge, (0, 0)), mode="symmetric")
    views = np.lib.stride_tricks.sliding_window_view(
      padded, (side, side), axis=(0, 1)
    )
    return views.reshape(-1, side, side, 1)

  scores = metrics.ssim(windows(truth), windows(picture), **_SSIM[name])
  return np.asarray(scores).reshape(truth.shape)


def metrics_image(golden: Golden) -> dict[str, Any]:
  """All scores of the composite (8 bits and float) and the raw prediction."""
  mask = nhwc(golden.input("in/mask")).astype(np.float32)
  truth = golden.image("in/gt_u8")
  composite = golden.input("in/pred") * mask + truth * (1 - mask)
  # The script truncates, of which the truth's own round trip is the proof.
  truth_u8, composite_u8, raw_u8 = (
    np.asarray(jnp.asarray(x * np.float32(255)).astype(jnp.uint8))
    for x in (truth, composite, golden.input("in/pred"))
  )
  arrays: dict[str, Any] = {
    "mid/gt_u8_after_roundtrip": truth_u8,
    "mid/composite_u8": composite_u8,
  }
  score = jax.jit(_scores)
  for name, a, b in (
    ("composite_u8", truth_u8, composite_u8),
    ("raw_u8", truth_u8, raw_u8),
    ("composite_float", truth * 255, composite * 255),
  ):
    for key, value in score(a, b).items():
      arrays[f"out/{name}/{key}"] = value
  for key in ("psnr", "ssim_win11", "l1_spl"):
    mean = metrics.Mean.of(arrays[f"out/composite_u8/{key}"]).compute()
    arrays[f"out/spl_eval_batch_mean/{key}"] = np.float64(mean)
  for key in golden.arrays:
    if key.startswith("mid/ssim_"):
      name, pair = key.removeprefix("mid/").split("_map_pair")
      pair = int(pair)
      arrays[key] = _ssim_map(truth_u8[pair], composite_u8[pair], name)
  green = slice(1, 2)
  arrays["out/green_only/ssim_win11"] = metrics.ssim(
    truth_u8[..., green], composite_u8[..., green], **_SSIM["ssim_win11"]
  )
  return arrays
