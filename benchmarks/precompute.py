"""Precomputing teacher features: pictures per second, and what bounds them.

  python -m benchmarks.precompute --config=configs/spl.py

`python -m sginpaint precompute` as it is, on JPEG files made here and a teacher
of random values, against the teacher's forward passes alone (one per stored
orientation). What it pays once cancels, as in benchmarks.evaluation.
"""

import argparse
import pathlib
import tempfile
from typing import Any

import jax
from ml_collections import ConfigDict

from benchmarks import command, timing
from benchmarks.input_pipeline import write_pictures
from benchmarks.values import random_values
from configs import classifier
from sginpaint import checkpoints
from sginpaint.systems import network_shapes
from sginpaint.training import precompute_teacher

_NAMES = tuple(f"attribute {i}" for i in range(80))  # as COCO's classifiers


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """Times the command and the network, both as seconds per picture."""
  with (
    tempfile.TemporaryDirectory() as folder,
    command.compile_cache(f"{folder}/cache"),
  ):
    return _measure(options, config, pathlib.Path(folder))


def _measure(
  options: argparse.Namespace, config: ConfigDict, root: pathlib.Path
) -> dict[str, Any]:
  teacher = _teacher(str(root / "teacher"), quick=":quick" in options.config)
  size = config.batch_size
  with config.unlocked():
    config.data.name = "folder"
    config.teacher.path = str(root / "teacher")
    config.teacher.features = str(root / "features")
  for batches in (1, options.batches):
    write_pictures(root / str(batches), batches * size, options.side)

  def command_on(batches: int) -> None:
    with config.unlocked():
      config.data.path = str(root / str(batches))
    precompute_teacher.precompute(config, "train", overwrite=True)

  whole = timing.slope(
    command_on, small=1, large=options.batches, repeats=options.repeats
  )
  network = _network(teacher, config, options.repeats)
  return _report(config, root, whole, network, options.batches * size)


def _teacher(workdir: str, *, quick: bool) -> checkpoints.Loaded:
  """A TResNet of random values in a workdir."""
  config = classifier.get_config("quick" if quick else "")
  config.data.attributes = _NAMES
  values = random_values(network_shapes(config)["generator"])
  checkpoints.save_generator(workdir, config, 0, values)
  return checkpoints.load(workdir)


def _network(
  teacher: checkpoints.Loaded, config: ConfigDict, repeats: int
) -> list[float]:
  """Seconds of the teacher's forward passes of one batch, both views."""
  side = config.data.image_size * config.teacher.input_scale
  shape = (config.batch_size, side, side, 3)
  image = jax.random.uniform(jax.random.key(0), shape, minval=-1.0)
  variables = jax.device_put(teacher.variables)

  @jax.jit
  def features(variables, image):
    outputs = teacher.system.generator.apply(variables, image, train=False)
    return outputs[config.teacher.layer]

  views = 1 if config.teacher.flip == "mirror" else 2

  def run() -> None:
    for _ in range(views):
      features(variables, image).block_until_ready()

  return timing.repeat(run, repeats=repeats)


def _report(
  config: ConfigDict,
  root: pathlib.Path,
  whole: list[float],
  network: list[float],
  count: int,
) -> dict[str, Any]:
  size = config.batch_size
  store = (root / "features" / "train").glob("*.array_record")
  stored = sum(path.stat().st_size for path in store)
  seconds = timing.summarise([s / size for s in whole])
  return {
    "image_size": config.data.image_size,
    "teacher_input": config.data.image_size * config.teacher.input_scale,
    "batch_size": size,
    "flip": config.teacher.flip,
    "dtype": config.teacher.dtype,
    "seconds_per_picture": seconds,
    "pictures_per_second": 1 / seconds["median"],
    "network_seconds_per_picture": timing.summarise(
      [s / size for s in network]
    ),
    "whole_over_network": timing.ratios(whole, network),
    "bytes_per_picture": stored / count,
  }


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser(
    "precompute", __doc__, config="configs/spl.py"
  )
  add = parser.add_argument
  add("--batches", type=int, default=4, help="of the long run; default: 4")
  add("--side", type=int, default=512, help="of the pictures; default: 512")
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
