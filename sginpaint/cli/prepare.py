"""Builds a data set of the papers from what its owners publish.

python -m sginpaint prepare celeba_hq --manual-dir=downloads
python -m sginpaint prepare folder --manual-dir=my/pictures --data-dir=data

Archives are read as they are, or as the folders that they were unpacked to. Run
again after an interruption, it goes on where it stopped. `folder` makes one
piece of a folder of your own, `irregular_masks` sorts mask files by the size of
the hole. Names, and what belongs into the manual folder:
"""

import argparse
import pathlib
import shlex
from collections.abc import Mapping, Sequence

from sginpaint.cli.parser import Parser
from sginpaint.errors import UserError

MASKS = "irregular_masks"


def main(argv: list[str]) -> int:
  """Runs `prepare NAME --manual-dir=DIR [--data-dir=DIR] [--workers=N]`.

  Raises:
    UserError: a flag or the archives need mending.
  """
  from sginpaint.data.builders.catalogue import SETS
  from sginpaint.data.builders.irregular_masks import IRREGULAR_MASKS
  from sginpaint.data.builders.own_folder import FOLDER

  sets = SETS | {FOLDER.name: FOLDER, MASKS: IRREGULAR_MASKS}
  options = _parse(argv, {name: one.files for name, one in sets.items()})
  data_set = sets[options.name]
  if not options.manual_dir:
    raise UserError(f"--manual-dir is missing: {data_set.how_to_get()}")
  # tfds takes a second to import: a mistyped flag should not wait for it.
  from sginpaint.data.builders.building import build

  if options.name == MASKS:
    return _prepare_masks(options.manual_dir, options.data_dir, options.size)
  built = build(
    data_set,
    options.manual_dir,
    options.data_dir,
    workers=options.workers,
    size=options.size,
  )
  counts = ", ".join(f"{n} {split}" for split, n in built.counts.items())
  what = "is ready"
  if built.existed:
    what = "is there already (delete it, or give another --data-dir, to build)"
  print(f"{built.directory} {what}: {counts}")
  print(_how_to_use(options.name, built.directory))
  return 0


def _parse(argv: Sequence[str], files: Mapping[str, str]) -> argparse.Namespace:
  """The flags; `files` says what each data set is made of."""
  lines = "".join(f"\n  {name}: {text}" for name, text in files.items())
  parser = Parser("prepare", f"{__doc__}{lines}")
  add = parser.add_argument
  add("name", choices=tuple(files), metavar="NAME", help="of the data set")
  add("--manual-dir", metavar="DIR", help="folder with the archives")
  add(
    "--data-dir",
    default="data",
    metavar="DIR",
    help="folder to build it in; default: data",
  )
  add(
    "--workers",
    type=int,
    metavar="N",
    help="processes; default: one for each core",
  )
  add(
    "--size",
    type=int,
    metavar="PIXELS",
    help="bring shorter sides down to this, 0 = never; default: as the recipe "
    "needs",
  )
  options = parser.parse_args(argv)
  for flag, least in (("workers", 1), ("size", 0)):
    if (value := getattr(options, flag)) is not None and value < least:
      raise UserError(f"--{flag}={value}: give at least {least}")
  return options


def _prepare_masks(manual_dir: str, data_dir: str, size: int | None) -> int:
  from sginpaint.data.builders.irregular_masks import sort_masks

  directory, counts = sort_masks(manual_dir, data_dir, size=size)
  for folder, count in counts.items():
    print(f"{directory / folder}: {count}")
  print("evaluate with --masks=FOLDER, train with --config.masks.path=FOLDER")
  return 0


def _how_to_use(name: str, directory: pathlib.Path) -> str:
  recipe = f"train with --config=configs/<name>.py:data={name}"
  if name == "folder":
    recipe = "train with --config.data.name=tfds"
  elif directory == pathlib.Path("data") / name:
    return recipe
  return f"{recipe} --config.data.path={shlex.quote(str(directory))}"
