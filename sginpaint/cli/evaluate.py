"""`evaluate`: scores a checkpoint on pictures with seeded holes."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, NoReturn

from ml_collections import ConfigDict

from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.errors import UserError

_ROLES = ("train", "validation", "test")
_DRAWN = ("center", "rectangle", "irregular")


class _Parser(argparse.ArgumentParser):
  def error(self, message: str) -> NoReturn:
    raise UserError(f"{message}; see --help")


def main(argv: list[str]) -> int:
  """Runs `evaluate --workdir=DIR [flags] [--config.eval.<field>=VALUE]`.

  Writes metrics.json, per_image.csv, grid.png, report.html and manifest.jsonl
  to `DIR/eval/<step>/` or `--output`.

  Returns:
    0.

  Raises:
    UserError: a flag, a field, the workdir, its checkpoints or the data need
      mending.
  """
  rest, overrides = split_overrides(argv)
  options = _parser().parse_args(rest)
  config = _read_config(options.workdir)
  apply_overrides(config, overrides, sections=("eval", "data"))
  _apply_flags(config, options)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint import checkpoints
  from sginpaint.cli import devices
  from sginpaint.data.datasets import load_dataset
  from sginpaint.evaluation.evaluator import evaluate

  devices.initialise()
  loaded = checkpoints.load(
    options.workdir, step=options.step, weights=options.weights
  )
  dataset = load_dataset(
    name=config.data.name,
    path=config.data.path,
    builder_config=config.data.builder_config,
    image_size=config.data.image_size,
  )
  output = options.output or Path(options.workdir) / "eval" / str(loaded.step)
  metrics = evaluate(
    dataclasses.replace(loaded, config=config),
    dataset.split(_split_name(options.split, config)),
    output_dir=output,
    weights=options.weights,
  )
  print(_summary(metrics))
  print(f"written to {output}")
  return 0


def _parser() -> argparse.ArgumentParser:
  parser = _Parser(
    "evaluate",
    allow_abbrev=False,
    description="Scores a checkpoint on pictures with seeded holes.",
    epilog="--config.eval.<field>=VALUE and --config.data.<field>=VALUE change "
    "fields of the config the checkpoint was trained with.",
  )
  add = parser.add_argument
  add("--workdir", required=True, help="of the training")
  add("--step", type=int, help="of the checkpoint; default the newest")
  add(
    "--split",
    default="test",
    help="test, validation and train stand for the splits that config.data "
    "names so; default test",
  )
  add("--masks", help="center, rectangle, irregular, or a folder of masks")
  add("--protocol", help="standard or spl")
  add("--weights", choices=("ema", "raw"), default="ema")
  add("--output", help="folder; default WORKDIR/eval/<step>")
  return parser


def _read_config(workdir: str) -> ConfigDict:
  # As checkpoints.load_config, which would load JAX first.
  path = Path(workdir) / "config.json"
  if not path.is_file():
    raise UserError(
      f"--workdir={workdir}: no config.json there; give the workdir of a "
      "training"
    )
  try:
    return ConfigDict(json.loads(path.read_text()))
  except ValueError as e:
    raise UserError(f"{path}: not a config ({e}); restore the file") from e


def _apply_flags(config: ConfigDict, options: argparse.Namespace) -> None:
  if options.masks is not None:
    config.eval.masks = options.masks
  if options.protocol is not None:
    config.eval.protocol = options.protocol
  masks = config.eval.masks
  if masks not in _DRAWN and not Path(masks).is_dir():
    raise UserError(
      f"--masks={masks}: no such folder; give one, or {', '.join(_DRAWN)}"
    )
  if options.output and Path(options.output).is_file():
    raise UserError(f"--output={options.output}: is a file; give a folder")


def _split_name(asked: str, config: ConfigDict) -> str:
  return config.data[f"{asked}_split"] if asked in _ROLES else asked


def _summary(metrics: dict[str, Any]) -> str:
  """The means over all pictures as a small table."""
  methods = {"": metrics["metrics"], **metrics["baselines"]}
  names = [n for n in metrics["metrics"]["all"] if n != "count"]
  lines = [
    f"step {metrics['step']}, {metrics['count']} pictures, "
    f"protocol {metrics['protocol']}, masks {metrics['masks']}",
    " " * 16 + "".join(f"{name:>11}" for name in names),
  ]
  for method, buckets in methods.items():
    cells = "".join(
      f"{buckets['all'][n]:>11.4f}" if n in buckets["all"] else f"{'-':>11}"
      for n in names
    )
    lines.append(f"{method or 'checkpoint':<16}{cells}")
  return "\n".join(lines)
