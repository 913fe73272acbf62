"""Scores a checkpoint on pictures with seeded holes and writes a report.

python -m sginpaint evaluate --workdir=runs/spl --masks=center

--config.eval.<field>=VALUE and --config.data.<field>=VALUE change fields of the
config that the checkpoint was trained with.

--manifest=FILE evaluates exactly the pairs of picture and hole that another
evaluation wrote down, and refuses where they are not there as they were.
Interrupted, the same command goes on where it stopped. Under a launcher all
processes share the pictures; the numbers are those of one process.

--watch evaluates every checkpoint once, oldest first, also those that a running
training has yet to write, into WORKDIR/eval/<step>, with all of them in
WORKDIR/eval/curve.json. It ends with the training's last step, or when nothing
new came for --idle seconds.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.cli.parser import Parser, add_checkpoint_flags, add_split_flag
from sginpaint.cli.paths import check_output_folder
from sginpaint.errors import UserError
from sginpaint.training.ranges import check_ranges
from sginpaint.workdirs import load_config

if TYPE_CHECKING:
  from sginpaint.checkpoints import Loaded
  from sginpaint.data.splits import Split

_ROLES = ("train", "validation", "test")
_DRAWN = ("center", "rectangle", "irregular")
# Those of evaluation/protocols.py, without the time that its import takes.
PROTOCOLS = (
  "standard",
  "spl",
  "edgeconnect",
  "mat",
  "lama",
  "aot",
  "sge_net",
  "espa",
  "boosted_gan",
)


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
  config = load_config(options.workdir)
  apply_overrides(config, overrides, sections=("eval", "data"))
  _apply_flags(config, options)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.evaluation.evaluator import evaluate

  devices.initialise()
  if options.watch:
    from sginpaint.cli import watch

    return watch.run(config, options)
  loaded, split = open_run(
    options.workdir,
    config,
    step=options.step,
    weights=options.weights,
    split=options.split,
  )
  output = options.output or Path(options.workdir) / "eval" / str(loaded.step)
  metrics = evaluate(loaded, split, output_dir=output, weights=options.weights)
  if devices.is_first():
    print(_summary(metrics))
    print(f"written to {output}")
  return 0


def open_run(
  workdir: str,
  config: ConfigDict,
  *,
  step: int | str | None = None,
  weights: str = "ema",
  split: str = "test",
) -> "tuple[Loaded, Split]":
  """What `evaluator.run` needs: a checkpoint and the split it is tried on.

  Args:
    workdir: of the training.
    config: of the workdir, with whatever was changed for this evaluation.
    step: of the checkpoint; None = the newest; or "best".
    weights: "ema" or "raw".
    split: test, validation, train (as `config.data` names them) or any other.

  Raises:
    UserError: the checkpoints or the data need mending.
  """
  from sginpaint import checkpoints

  loaded = checkpoints.load(workdir, step=step, weights=weights)
  return (
    dataclasses.replace(loaded, config=config),
    open_split(config, split),
  )


def open_split(config: ConfigDict, split: str) -> "Split":
  """The split that `--split` names, or a role in the config.

  Raises:
    UserError: the data need mending, or have no such split.
  """
  from sginpaint.data.datasets import load_dataset

  dataset = load_dataset(
    name=config.data.name,
    path=config.data.path,
    builder_config=config.data.builder_config,
    image_size=config.data.image_size,
    attributes=config.data.keep_attributes,
  )
  return dataset.split(split_name(config, split))


def split_name(config: ConfigDict, split: str) -> str:
  """The data set's name of `--split`, which may be a role in the config."""
  return config.data[f"{split}_split"] if split in _ROLES else split


def _parser() -> argparse.ArgumentParser:
  parser = Parser("evaluate", __doc__)
  add = parser.add_argument
  add_checkpoint_flags(parser, "--workdir")
  add_pair_flags(parser)
  add(
    "--output",
    metavar="DIR",
    help="folder to write to; default: WORKDIR/eval/<step>",
  )
  add(
    "--watch",
    action="store_true",
    help="every checkpoint, as they come",
  )
  add(
    "--idle",
    type=float,
    default=3600.0,
    metavar="SECONDS",
    help="of --watch: how long to wait for the next checkpoint; default: 3600",
  )
  return parser


def add_pair_flags(parser: argparse.ArgumentParser) -> None:
  """Adds `--split`, `--masks`, `--protocol`, `--manifest`: what is scored."""
  add = parser.add_argument
  add_split_flag(parser)
  add(
    "--masks",
    metavar="NAME|DIR",
    help="center, rectangle, irregular, a folder of masks, or, for classifiers "
    "and segmenters only, none; default: config.eval.masks",
  )
  add(
    "--protocol",
    choices=PROTOCOLS,
    metavar="NAME",
    help=f"how to score: {', '.join(PROTOCOLS)}; default: config.eval.protocol",
  )
  add(
    "--manifest",
    metavar="FILE",
    help="evaluate exactly the pairs of this manifest.jsonl; default: "
    "config.eval.manifest, else pairs made from config.eval.seed",
  )


def apply_pair_flags(config: ConfigDict, options: argparse.Namespace) -> None:
  """Lays them over `config`.

  Raises:
    UserError: they contradict each other, or see `check_eval`.
  """
  if options.masks is not None:
    config.eval.masks = options.masks
  if options.protocol is not None:
    config.eval.protocol = options.protocol
  if options.manifest is not None:
    config.eval.manifest = options.manifest
    if options.masks in _DRAWN:
      raise UserError(
        f"--masks={options.masks}: the manifest says which masks; leave it "
        "out, or name the folder in which its mask files lie"
      )
  check_eval(config)


def _apply_flags(config: ConfigDict, options: argparse.Namespace) -> None:
  apply_pair_flags(config, options)
  if options.watch and options.step is not None:
    raise UserError("--step: goes not with --watch, which takes every step")
  if options.output is not None:
    check_output_folder(options.output)


def check_eval(config: ConfigDict) -> None:
  """Raises UserError for numbers and masks that no evaluation can have."""
  check_ranges(config, sections=("eval", "data"))
  manifest = config.eval.manifest
  if manifest and not Path(manifest).is_file():
    raise UserError(f"--manifest={manifest}: no such file; check the path")
  masks = config.eval.masks
  # Without masks only networks that read pictures can be evaluated.
  if masks not in (*_DRAWN, "none") and not Path(masks).is_dir():
    raise UserError(
      f"--masks={masks}: no such folder; give one, or {', '.join(_DRAWN)}"
    )


def _summary(metrics: dict[str, Any]) -> str:
  """The means over all pictures as a small table."""
  methods = {"": metrics["metrics"], **metrics["baselines"]}
  if "corrupted" in metrics:
    methods["corrupted"] = metrics["corrupted"]["metrics"]
  found = (name for buckets in methods.values() for name in buckets["all"])
  names = [name for name in dict.fromkeys(found) if name != "count"]
  widths = {name: max(11, len(name) + 2) for name in names}
  lines = [
    f"step {metrics['step']}, {metrics['count']} pictures, "
    f"protocol {metrics['protocol']}, masks {metrics['masks']}",
    " " * 16 + "".join(f"{n:>{w}}" for n, w in widths.items()),
  ]
  for method, buckets in methods.items():
    cells = "".join(
      f"{buckets['all'][n]:>{w}.4f}" if n in buckets["all"] else f"{'-':>{w}}"
      for n, w in widths.items()
    )
    lines.append(f"{method or 'checkpoint':<16}{cells}")
  return "\n".join(lines)
