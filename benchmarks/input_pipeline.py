"""The input pipeline: pictures delivered against bare decoding.

  python -m benchmarks.input_pipeline --config=configs/spl.py

Batches as the training gets them, from JPEG files that are decoded, resized,
flipped and stacked, against decoding the same files with as many threads on the
same cores, and against decoding and resizing them. The files are made here, or
those of `--pictures`.
"""

import argparse
import itertools
import pathlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
from ml_collections import ConfigDict

from benchmarks import command, pictures, process, timing
from sginpaint.data import pipeline
from sginpaint.data.images import EXTENSIONS, decode_rgb
from sginpaint.errors import UserError
from sginpaint.training import setup

_SETTLED = 1.0  # seconds, in which reading ahead comes to its end
_AT_ONCE = 256  # pictures that are drawn together


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times reading in turns: decoding, decoding and resizing, batches."""
  with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(options.pictures or folder)
    if not options.pictures:
      write_pictures(root, options.count, options.side)
    with config.unlocked():
      config.data.name, config.data.path = "folder", str(root)
    return _measure(options, config, root)


def write_pictures(root: pathlib.Path, count: int, side: int) -> None:
  """Fills `root/train/images` with JPEG files."""
  target = root / "train" / "images"
  target.mkdir(parents=True)
  quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
  for start in range(0, count, _AT_ONCE):
    some = min(_AT_ONCE, count - start)
    drawn = pictures.random_pictures(some, side, seed=start)
    for i, picture in enumerate(drawn, start):
      cv2.imwrite(str(target / f"{i:06d}.jpg"), picture, quality)


def _measure(
  options: argparse.Namespace, config: ConfigDict, root: pathlib.Path
) -> dict[str, Any]:
  files = sorted(p for p in root.rglob("*") if p.suffix.lower() in EXTENSIONS)
  if not files:
    raise UserError(f"--pictures={root}: no pictures there")
  split = setup.load_data(config).split(config.data.train_split)
  size, threads = config.data.image_size, config.data.threads
  count = max(len(files) // config.batch_size, 1) * config.batch_size
  chosen = list(itertools.islice(itertools.cycle(files), count))

  with (
    ThreadPoolExecutor(threads) as pool,
    pipeline.training_batches(
      split,
      batch_size=config.batch_size,
      seed=config.seed,
      **pipeline.geometry_options(config.data, train=True),
    ) as batches,
  ):

    def drain(function: Callable[[pathlib.Path], None]) -> None:
      for _ in pool.map(function, chosen):
        pass

    def deliver(number: int) -> None:
      for _ in range(number):
        next(batches)

    seconds = timing.alternate(
      {
        "decoding": lambda: drain(_decode),
        "resizing": lambda: drain(lambda path: _decode(path, size)),
        # What was read ahead during the other turns must not count, nor may
        # the other turns share the cores with it.
        "flushing": lambda: deliver(2 * threads + 1),
        "pipeline": lambda: deliver(count // config.batch_size),
        "settling": lambda: time.sleep(_SETTLED),
      },
      repeats=options.repeats,
    )
  return {
    "files": len(files),
    "bytes_per_file": sum(f.stat().st_size for f in files) / len(files),
    "image_size": size,
    "batch_size": config.batch_size,
    "threads": threads,
    "cores": process.usable_cores(),
    **_rates(seconds, count),
  }


def _decode(path: pathlib.Path, size: int = 0) -> None:
  """Hands nothing back: the pool would hold all pictures until the end.

  Fresh memory for each would cost more than resizing it.
  """
  image = decode_rgb(path.read_bytes())
  if size:
    cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def _rates(seconds: dict[str, list[float]], count: int) -> dict[str, Any]:
  decoding, resizing = seconds["decoding"], seconds["resizing"]
  delivered = seconds["pipeline"]
  return {
    "images_per_second": {
      name: count / timing.summarise(seconds[name])["median"]
      for name in ("decoding", "resizing", "pipeline")
    },
    "delivered_of_decoding": timing.ratios(decoding, delivered),
    "delivered_of_decoding_and_resizing": timing.ratios(resizing, delivered),
  }


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "input_pipeline", __doc__, config="configs/spl.py"
  )
  add = parser.add_argument
  add("--pictures", default="", help="folder of pictures to read instead")
  add("--count", type=int, default=2048, help="pictures to make; default: 2048")
  add("--side", type=int, default=512, help="of these, pixels; default: 512")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
