"""A real SPL, as small as it gets, on a few generated scenes."""

import json

import numpy as np

from sginpaint import checkpoints, workdirs
from sginpaint.data.builders.synthetic_scenes.builder import prepare

EXAMPLES = {"train": 12, "validation": 4, "test": 5}


def prepare_scenes(folder) -> str:
  """A data directory of 32-pixel scenes."""
  prepare(str(folder), 32, examples=EXAMPLES, progress=False)
  return str(folder)


def flags(data_dir: str, **fields) -> list[str]:
  """`--config...` of a training of seconds; `fields` are overrides."""
  options = {
    "data.path": data_dir,
    "data.builder_config": "32",
    "data.image_size": 32,
    "model.generator.width": 4,
    "model.generator.blocks": 1,
    "model.generator.residual_blocks": 1,
    "model.discriminator.widths": "4,4,4",
    "batch_size": 4,
    "optimizer.warmup": 1,
    "log.every": 2,
    "log.images_every": 0,
    "eval.batch_size": 4,
    "eval.panels": 2,
  } | fields
  return ["--config=configs/spl_no_teacher.py:quick"] + [
    f"--config.{name}={value}" for name, value in options.items()
  ]


def final_sums(workdir) -> dict[str, int]:
  """Checksums of every array of the newest checkpoint."""
  step = workdirs.steps(str(workdir))[0]
  return checkpoints.read_checksums(str(workdir), step)


def losses(workdir) -> np.ndarray:
  """[log lines, 2]: step and generator loss."""
  lines = (workdir / "log.jsonl").read_text().splitlines()
  rows = [json.loads(line) for line in lines]
  return np.array([[r["step"], r["loss/generator"]] for r in rows])
