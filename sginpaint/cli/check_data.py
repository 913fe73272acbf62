"""Looks for what is wrong with a data set or with masks, before a training.

python -m sginpaint check-data my/pictures
python -m sginpaint check-data --config=configs/espa_stage2.py:data=celeba_hq
python -m sginpaint check-data my/pictures --masks=my/masks --json=report.json

Reads pictures, label maps, attributes and masks, names what is wrong and how to
mend it, and says whether the data can be trained on. A FOLDER takes the place
of config.data.path; without --config the defaults of configs/common.py hold, of
which --config.data.image_size=PIXELS is worth giving. --config.<field>=VALUE
changes any field.

Exit code: 0 = no error, 1 = errors were found, 2 = nothing could be checked.
"""

import argparse
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ml_collections import ConfigDict

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.cli.parser import Parser, add_config_flag
from sginpaint.errors import UserError
from sginpaint.files import write_json

if TYPE_CHECKING:
  from sginpaint.data.checks import Report


def main(argv: list[str]) -> int:
  """Runs `check-data [FOLDER] [--config=FILE[:ARG]] [--masks=DIR] [...]`.

  Returns:
    0, or 1 where errors were found.

  Raises:
    UserError: a flag or a path needs mending, so that nothing was checked.
  """
  rest, overrides = split_overrides(argv)
  options = _parse(rest)
  config = _config(options, overrides)
  masks = options.masks or (config.masks.path if config else "")
  _check_paths(options, masks)
  # JAX takes seconds to import: a mistyped path should not wait for it.
  from sginpaint.data.checks import check_dataset, check_masks

  reports = []
  if config is not None:
    reports.append(
      check_dataset(config.data, lambda: _open(config), sample=options.sample)
    )
  if masks:
    white = not options.black_is_hole
    if config is not None and not options.black_is_hole:
      white = config.masks.white_is_hole
    report = check_masks(masks, white_is_hole=white, sample=options.sample)
    reports.append(report)
  for report in reports:
    print(report.text)
  if options.json:
    _write(pathlib.Path(options.json), reports)
  return 0 if all(report.sound for report in reports) else 1


def _parse(argv: Sequence[str]) -> argparse.Namespace:
  parser = Parser("check-data", __doc__)
  add = parser.add_argument
  add("folder", nargs="?", metavar="FOLDER", help="pictures, or prepared data")
  add_config_flag(parser, required=False)
  add(
    "--masks", metavar="DIR", help="folder of masks; default: config.masks.path"
  )
  add(
    "--black-is-hole",
    action="store_true",
    help="black pixels of masks are hole; default: as config.masks says",
  )
  add(
    "--sample",
    type=int,
    default=0,
    metavar="N",
    help="read about N pictures, and N masks, spread evenly; default: all",
  )
  add("--json", metavar="FILE", help="file to write the findings to as well")
  options = parser.parse_args(argv)
  if not (options.folder or options.config or options.masks):
    raise UserError("nothing to check: give a FOLDER, --config or --masks")
  if options.sample < 0:
    raise UserError(f"--sample={options.sample}: give at least 1, or 0 for all")
  return options


def _config(
  options: argparse.Namespace, overrides: Mapping[str, str]
) -> ConfigDict | None:
  """The config of the data to check; None = of masks only."""
  if options.config:
    config = parse_config(options.config, overrides)
  elif options.folder:
    from configs import common

    config = common.get_config()
    apply_overrides(config, overrides)
  elif overrides:
    field = next(iter(overrides))
    raise UserError(f"--config.{field}: give a FOLDER or --config with it")
  else:
    return None
  if options.folder:
    with config.unlocked():
      _point_at(config.data, options.folder)
  return config


def _point_at(data: ConfigDict, folder: str) -> None:
  data.path = folder
  prepared = pathlib.Path(folder, "dataset_info.json").is_file()
  if not prepared:
    data.name = "folder"
  elif data.name in ("folder", "synthetic_scenes"):
    data.name = "tfds"


def _open(config: ConfigDict) -> None:
  """As a training opens its data; a UserError tells what it would not take."""
  from sginpaint.training.setup import check_system, load_data

  dataset = load_data(config)
  if config.system:
    check_system(config, dataset.split(config.data.train_split))


def _check_paths(options: argparse.Namespace, masks: str) -> None:
  for flag, path in (("", options.folder), ("--masks=", masks)):
    if path and not pathlib.Path(path).is_dir():
      raise UserError(f"{flag}{path}: no such folder; check the path")
  if options.json:
    path = pathlib.Path(options.json)
    if path.is_dir() or not path.absolute().parent.is_dir():
      raise UserError(
        f"--json={options.json}: give the name of a file in a folder that is "
        "there"
      )


def _write(path: pathlib.Path, reports: "Sequence[Report]") -> None:
  sound = all(report.sound for report in reports)
  content = {
    "sound": sound,
    "reports": [report.as_json() for report in reports],
  }
  try:
    write_json(path, content)
  except OSError as e:
    raise UserError(f"--json={path}: cannot be written ({e.strerror})") from e
