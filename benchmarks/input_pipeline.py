"""The input pipeline: pictures delivered against bare decoding.

  python -m benchmarks.input_pipeline --config=configs/spl.py

Batches as the training gets them, from JPEG files that are decoded, resized,
flipped and stacked, against decoding the same files with as many threads on the
same cores, and against decoding and resizing them. The files are made here, or
those of `--pictures`. With label maps (`--classes`), these are decoded, too.
"""

import argparse
import itertools
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
from ml_collections import ConfigDict

from benchmarks import command, pictures, process, timing
from sginpaint.data import pipeline
from sginpaint.data.folder import FolderExamples
from sginpaint.data.images import decode_labels, decode_rgb
from sginpaint.data.splits import Examples
from sginpaint.data.views import View
from sginpaint.errors import UserError
from sginpaint.training import setup

_TURN = 512  # pictures: many short turns, as the machine's speed drifts
_SETTLED = 0.25  # seconds, in which reading ahead comes to its end
_AT_ONCE = 256  # pictures that are drawn together

_Files = tuple[pathlib.Path, pathlib.Path | None]  # of a picture and its labels


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times reading in turns: decoding, decoding and resizing, batches.

  Raises:
    UserError: a flag is not right.
  """
  if not 0 <= options.classes <= 255:
    raise UserError(f"--classes={options.classes}: give numbers in [0, 255]")
  with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(options.pictures or folder)
    if not options.pictures:
      write_pictures(root, options.count, options.side, options.classes)
    with config.unlocked():
      config.data.name, config.data.path = "folder", str(root)
    return _measure(options, config, root)


def write_pictures(
  root: pathlib.Path, count: int, side: int, classes: int = 0
) -> None:
  """Fills `root/train/images` with JPEG, and `labels` with PNG files."""
  images, labels = (root / "train" / name for name in ("images", "labels"))
  images.mkdir(parents=True)
  if classes:
    labels.mkdir()
  quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
  for start in range(0, count, _AT_ONCE):
    some = min(_AT_ONCE, count - start)
    drawn = pictures.random_pictures(some, side, seed=start)
    for i, picture in enumerate(drawn, start):
      cv2.imwrite(str(images / f"{i:06d}.jpg"), picture, quality)
    if classes:
      maps = pictures.random_labels(some, side, classes, seed=start)
      for i, values in enumerate(maps, start):
        cv2.imwrite(str(labels / f"{i:06d}.png"), values)


def _measure(
  options: argparse.Namespace, config: ConfigDict, root: pathlib.Path
) -> dict[str, Any]:
  split = setup.load_data(config).split(config.data.train_split)
  files = _files(split.examples)
  size, threads = config.data.image_size, config.data.threads
  steps = max(min(_TURN, len(files)) // config.batch_size, 1)
  count = steps * config.batch_size
  endless = itertools.cycle(files)

  with (
    ThreadPoolExecutor(threads) as pool,
    pipeline.training_batches(
      split,
      batch_size=config.batch_size,
      seed=config.seed,
      **pipeline.geometry_options(config.data, train=True),
    ) as batches,
  ):

    def drain(function: Callable[[_Files], None]) -> None:
      for _ in pool.map(function, itertools.islice(endless, count)):
        pass

    def deliver(number: int) -> None:
      for _ in range(number):
        next(batches)

    seconds = timing.alternate(
      {
        "decoding": lambda: drain(_decode),
        "resizing": lambda: drain(lambda files: _decode(files, size)),
        # What was read ahead during the other turns must not count, nor may
        # the other turns share the cores with it.
        "flushing": lambda: deliver(2 * threads + 1),
        "pipeline": lambda: deliver(steps),
        "settling": lambda: time.sleep(_SETTLED),
      },
      repeats=options.repeats,
    )
  return {
    "files": len(files),
    "labelled": split.labelled,
    "bytes_per_picture": statistics.fmean(_size(own) for own in files),
    "image_size": size,
    "batch_size": config.batch_size,
    "threads": threads,
    "cores": process.usable_cores(),
    **_rates(seconds, count),
  }


def _files(examples: Examples) -> list[_Files]:
  while isinstance(examples, View):
    examples = examples.examples
  assert isinstance(examples, FolderExamples)  # for the type checker
  root = examples.root
  return [
    (root / p.image, root / p.label if p.label else None)
    for p in examples.pictures
  ]


def _size(files: _Files) -> int:
  return sum(file.stat().st_size for file in files if file)


def _decode(files: _Files, size: int = 0) -> None:
  """Hands nothing back: the pool would hold all pictures until the end.

  Fresh memory for each would cost more than resizing it.
  """
  picture, label = files
  image = decode_rgb(picture.read_bytes())
  if size:
    cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
  if label:
    labels = decode_labels(label.read_bytes())
    if size:
      cv2.resize(labels, (size, size), interpolation=cv2.INTER_NEAREST)


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
    "input_pipeline", __doc__, config="configs/spl.py", repeats=31
  )
  add = parser.add_argument
  add("--pictures", default="", help="folder of pictures to read instead")
  add("--count", type=int, default=2048, help="pictures to make; default: 2048")
  add("--side", type=int, default=512, help="of these, pixels; default: 512")
  add(
    "--classes", type=int, default=0, help="of label maps made; default: none"
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
