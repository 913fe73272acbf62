"""Names what every pixel of a picture shows, with a trained network.

python -m sginpaint segment --checkpoint=runs/segmenter \\
  --images=scenes/images --output=scenes/labels --labels

For each picture it writes OUTPUT/<name>.png of the picture's size: in the
colours of the classes, or with --labels the numbers themselves, 8 bits, as data
sets and `inpaint --segmentation` read them. A classes.csv tells what they mean:
in OUTPUT, or, if that is the `labels` of a data set, where the data set has it.
One that is there already decides the numbers; without, they are class indices.

With --masks the pictures have holes (white), and a system that fills them and
predicts a map shows both: OUTPUT/<name>.png, the map as numbers with a palette
of the classes' colours (255 where the network did not look), classes.csv, and
OUTPUT/<name>_coarse.png, the first result. Change the map in any paint program
and give it to `inpaint --segmentation`.

--split takes the pictures of a data set instead: that of the training, with
--config.data.<field>=VALUE another.
"""

import argparse
import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from ml_collections import ConfigDict

from sginpaint import images
from sginpaint.cli import segment_holes
from sginpaint.cli.jobs import list_pictures, progress
from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.cli.parser import Parser, add_checkpoint_flags
from sginpaint.cli.paths import check_checkpoint, check_output_folder
from sginpaint.errors import UserError
from sginpaint.workdirs import load_config

if TYPE_CHECKING:
  from sginpaint.checkpoints import Loaded
  from sginpaint.cli.label_values import Values
  from sginpaint.data.splits import Split


@dataclasses.dataclass(frozen=True)
class _Job:
  """A picture, uint8 [H, W, 3] when it is read, and the file to write."""

  read: Callable[[], np.ndarray]
  output: pathlib.Path


def main(argv: list[str]) -> int:
  """Runs `segment --checkpoint=DIR --images=I --output=DIR [flags]`.

  Raises:
    UserError: a path, a file or a flag needs mending.
  """
  rest, overrides = split_overrides(argv)
  args = _parse(rest)
  check_checkpoint(args.checkpoint)
  config = load_config(args.checkpoint)
  _check_flags(args, overrides)
  apply_overrides(config, overrides, sections=("data",))
  jobs: list[_Job] = []
  holed: list[segment_holes.HoledJob] = []
  if args.masks is not None:
    holed = segment_holes.plan(args.images, args.masks, args.output)
    targets = [path for job in holed for path in (job.labels, job.coarse)]
    _check_new(targets, overwrite=args.overwrite)
  elif args.images is not None:
    jobs = _plan(args.images, args.output, overwrite=args.overwrite)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.cli.label_values import plan_values

  devices.initialise()
  classes = config.data.classes
  numbers = args.labels or bool(holed)
  values = plan_values(args.output, classes) if numbers else None
  loaded, of_split = _load(args, config)
  jobs += of_split
  _check_segments(args.checkpoint, loaded, masks=bool(holed))
  if holed and values is not None:
    segment_holes.run(holed, loaded, values)
  else:
    _run(jobs, loaded, classes, values)
  print(f"{len(jobs) + len(holed)} written to {args.output}")
  if values is not None:
    print(f"classes in {values.file}")
  return 0


def _parse(argv: list[str]) -> argparse.Namespace:
  parser = Parser("segment", __doc__)
  add = parser.add_argument
  add_checkpoint_flags(parser)
  source = parser.add_mutually_exclusive_group(required=True)
  source.add_argument(
    "--images", metavar="PATH", help="picture, or folder of them"
  )
  source.add_argument(
    "--split",
    metavar="NAME",
    help="test, validation or train, as config.data names them, or any other",
  )
  # With masks a file holds numbers and colours.
  shown = parser.add_mutually_exclusive_group()
  shown.add_argument(
    "--masks",
    metavar="PATH",
    help="mask for all pictures, or folder of masks: fills the holes",
  )
  shown.add_argument(
    "--labels", action="store_true", help="write numbers instead of colours"
  )
  add("--output", required=True, metavar="DIR", help="folder to write to")
  add("--overwrite", action="store_true", help="replace what is there")
  return parser.parse_args(argv)


def _check_flags(
  args: argparse.Namespace, overrides: Mapping[str, str]
) -> None:
  if overrides and not args.split:
    raise UserError(f"--config.{min(overrides)}: goes with --split only")
  if args.split and args.masks is not None:
    raise UserError("--masks: goes with --images only")
  check_output_folder(args.output)
  named_file = pathlib.Path(args.output).suffix.lower() in images.INPUT_SUFFIXES
  if named_file and not os.path.isdir(args.output):
    raise UserError(f"--output={args.output}: is a file; give a folder")


def _plan(source: str, output: str, *, overwrite: bool) -> list[_Job]:
  """Whatever can be found out without decoding is checked here."""
  pictures = list_pictures("--images", source)
  inputs = {path.resolve() for path in pictures}
  jobs: dict[pathlib.Path, _Job] = {}
  for path in pictures:
    target = pathlib.Path(output) / f"{path.stem}.png"
    if target in jobs:
      raise UserError(f"{target}: two pictures would be written there")
    if target.resolve() in inputs:
      raise UserError(f"{target}: is also an input; choose another output")
    images.read_header(path)
    jobs[target] = _Job(functools.partial(_read, path), target)
  _check_new(list(jobs), overwrite=overwrite)
  return list(jobs.values())


def _plan_split(split: "Split", output: str, *, overwrite: bool) -> list[_Job]:
  jobs = [
    _Job(
      functools.partial(_read_from, split, i),
      pathlib.Path(output) / f"{name}.png",
    )
    for i, name in enumerate(split.ids)
  ]
  _check_new([job.output for job in jobs], overwrite=overwrite)
  return jobs


def _load(
  args: argparse.Namespace, config: ConfigDict
) -> "tuple[Loaded, list[_Job]]":
  """The checkpoint, and the pictures of --split."""
  from sginpaint import checkpoints
  from sginpaint.cli.evaluate import open_run

  which = {"step": args.step, "weights": args.weights}
  if not args.split:
    return checkpoints.load(args.checkpoint, **which), []
  loaded, split = open_run(args.checkpoint, config, split=args.split, **which)
  return loaded, _plan_split(split, args.output, overwrite=args.overwrite)


def _read(path: pathlib.Path) -> np.ndarray:
  return images.read_picture(path).rgb


def _read_from(split: "Split", index: int) -> np.ndarray:
  return split[index]["image"]


def _check_new(outputs: Sequence[pathlib.Path], *, overwrite: bool) -> None:
  there = [path for path in outputs if os.path.lexists(path)]
  if folders := [path for path in there if path.is_dir()]:
    raise UserError(f"{folders[0]}: is a folder; choose another output")
  if there and not overwrite:
    more = f" and {len(there) - 1} more" if len(there) > 1 else ""
    raise UserError(
      f"{there[0]}{more}: exists already; choose another output, or pass "
      "--overwrite"
    )


def _check_segments(checkpoint: str, loaded: "Loaded", *, masks: bool) -> None:
  from sginpaint.evaluation.served import output_names

  names = output_names(loaded)
  fills = "image" in names
  holds = f"--checkpoint={checkpoint}: holds a {loaded.config.system}, which"
  if not names & {"segmentation", "segmentation_logits"}:
    raise UserError(
      f"{holds} segments no pictures; train one with configs/segmenter.py"
    )
  if fills and not masks:
    raise UserError(f"{holds} fills holes; say with --masks where they are")
  if masks and not fills:
    raise UserError(f"{holds} fills no holes; leave out --masks")


def _run(
  jobs: Sequence[_Job],
  loaded: "Loaded",
  classes: Sequence[Mapping[str, Any]],
  values: "Values | None",
) -> None:
  from sginpaint.cli.label_maps import Labeller
  from sginpaint.evaluation.visualize import color_labels

  labeller = Labeller(loaded)
  colours = np.array([info["colour"] for info in classes], np.uint8)
  for job in progress(jobs):
    labels = labeller(job.read())
    if values is None:
      shown = color_labels(labels, colours)[..., ::-1]
    else:
      shown = values.of_class[labels]
      values.describe()
    encoded = cv2.imencode(".png", shown)[1]
    images.write_bytes(job.output, encoded.tobytes())
