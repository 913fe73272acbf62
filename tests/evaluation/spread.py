"""How far apart the protocols score the same pixels.

  python -m tests.evaluation.spread [--images=FOLDER] [--masks=FOLDER]

Every picture is made 256x256 and gets one hole, filled by Telea's method and
blurred, so that the fill lies between the grey levels as a network's does. What
differs from line to line is the formula alone. Without folders the pictures are
those of synthetic_scenes and the holes are drawn.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor

import cv2
import jax
import numpy as np

from sginpaint.batch import composite
from sginpaint.data.datasets import load_dataset
from sginpaint.data.pipeline import evaluation_batches
from sginpaint.evaluation.baselines import fill_batch
from sginpaint.evaluation.manifest import build_manifest
from sginpaint.evaluation.measures import quantise
from sginpaint.evaluation.protocols import PROTOCOLS

_SIZE = 256
_BATCH = 8
_MOST = 96  # pictures of synthetic_scenes
_COLUMNS = ("psnr", "ssim", "mae", "l1", "l1_spl", "relative_mae")
_FORMULAS = ("standard", "spl", "edgeconnect", "mat", "lama", "aot")


def measure(images: str, masks: str) -> dict[str, dict[str, float]]:
  """{protocol: {measure: mean over the pictures}}.

  Args:
    images: a folder of pictures; "" = synthetic_scenes.
    masks: a folder of masks, white = hole; "" = drawn ones.
  """
  name = "folder" if images else "synthetic_scenes"
  dataset = load_dataset(name=name, path=images, image_size=_SIZE)
  names = [n for n, examples in dataset.splits.items() if len(examples)]
  split = dataset.split("test" if "test" in names else names[0])
  manifest = build_manifest(
    split.ids,
    masks=masks or "irregular",
    seed=0,
    image_size=_SIZE,
    count=0 if images else _MOST,
  )
  scores: dict[str, list[dict[str, np.ndarray]]] = {}
  with (
    ThreadPoolExecutor() as pool,
    evaluation_batches(
      split,
      batch_size=_BATCH,
      image_size=_SIZE,
      resize="shorter_side",
      indices=manifest.indices,
    ) as batches,
  ):
    for batch in batches:
      mask = manifest.draw(np.asarray(batch.index))
      fill = _smooth_fill(np.asarray(batch.image), mask, pool)
      for protocol, found in _measure(batch.image, fill, mask).items():
        kept = {k: np.asarray(v)[batch.valid] for k, v in found.items()}
        scores.setdefault(protocol, []).append(kept)
  return {
    protocol: {
      key: float(np.nanmean(np.concatenate([p[key] for p in scores[protocol]])))
      for key in scores[protocol][0]
    }
    for protocol in _FORMULAS
  }


def _smooth_fill(
  truth: np.ndarray, mask: np.ndarray, pool: ThreadPoolExecutor
) -> np.ndarray:
  """float32 [-1, 1]."""
  filled = fill_batch("telea", truth, mask, pool).astype(np.float32)
  blurred = [cv2.GaussianBlur(picture, (0, 0), 3) for picture in filled]
  return np.stack(blurred) / 127.5 - 1


@jax.jit
def _measure(truth, fill, mask):
  found = {}
  for name in _FORMULAS:
    protocol = PROTOCOLS[name]
    pictures = {
      rule: composite(quantise(fill, rule), truth, mask)
      for rule in protocol.quantisers
    }
    found[name] = protocol.measure(truth, pictures, mask)
  return found


def table(scores: dict[str, dict[str, float]]) -> str:
  """Markdown, a line per protocol; the hole is the same under all."""
  lines = [
    f"| protocol | {' | '.join(_COLUMNS)} |",
    "|---" * (len(_COLUMNS) + 1) + "|",
  ]
  for name, found in scores.items():
    cells = (f"{found[c]:.4f}" if c in found else "" for c in _COLUMNS)
    lines.append(f"| {name} | {' | '.join(cells)} |")
  ssim = [found["ssim"] for found in scores.values()]
  hole = scores["standard"]
  return "\n".join(
    [
      *lines,
      "",
      f"SSIM spreads over {max(ssim) - min(ssim):.4f}. In the hole alone: "
      f"PSNR {hole['hole_psnr']:.2f} dB, MAE {hole['hole_mae']:.4f}; in its "
      f"outer pixels: MAE {hole['band_mae']:.4f}.",
    ]
  )


if __name__ == "__main__":
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--images", default="")
  parser.add_argument("--masks", default="")
  options = parser.parse_args()
  print(table(measure(options.images, options.masks)))
