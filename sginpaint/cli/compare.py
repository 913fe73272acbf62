"""Compares methods on the same pictures under the same holes, on one page.

python -m sginpaint compare runs/spl runs/espa@best telea theirs=out/lama \\
    --masks=center --output=comparison

Each is a workdir (DIR@step for another checkpoint than the newest), a folder of
pictures that another program filled, named as the manifest names them, a folder
that evaluate wrote, or a baseline; NAME=... names it on the page. Which
pictures and holes, and how they are scored, follows from the first workdir, or
from --config, and from the flags; --config.eval.<field>=VALUE and
--config.data.<field>=VALUE change fields for all. Differences come with an
interval from resampling the pictures.

Other programs fill the pictures and holes that --export writes, to input/ and
mask/ (white = hole), in the size of the evaluation.

--study writes a page on which people choose between two results, without
knowing whose they are; --tally counts the answers that they send back:

python -m sginpaint compare runs/spl telea --study --output=study
python -m sginpaint compare --tally study-*.json --output=study
"""

import argparse
from collections.abc import Mapping, Sequence

from ml_collections import ConfigDict

from sginpaint.cli.config_files import load_config_file
from sginpaint.cli.contestants import CHECKPOINT, EVALUATION, Given, parse
from sginpaint.cli.evaluate import add_pair_flags, apply_pair_flags
from sginpaint.cli.overrides import apply_overrides, split_overrides
from sginpaint.cli.parser import Parser, add_config_flag, add_weights_flag
from sginpaint.cli.paths import check_output_folder
from sginpaint.errors import UserError
from sginpaint.workdirs import load_config, plain_config

# Of `config.data`: which pictures, and how they are cut.
_PICTURES = (
  *("name", "path", "builder_config", "image_size", "resize", "crop_size"),
  *("threads", "train_split", "validation_split", "test_split"),
)


def main(argv: list[str]) -> int:
  """Runs `compare A B ... [flags]`.

  Writes report.html, comparison.json, comparison.csv, manifest.jsonl and
  evaluations/<name>/ to `--output`; with --study, study.html in the place of
  the first three; with --tally, preferences.html and preferences.json.

  Returns:
    0.

  Raises:
    UserError: something to compare, a flag, the data or an answer needs
      mending.
  """
  rest, overrides = split_overrides(argv)
  options = _parser().parse_intermixed_args(rest)
  check_output_folder(options.output)
  if options.tally:
    return _tally(options)
  for name in ("resamples", "questions"):
    if getattr(options, name) < 1:
      raise UserError(f"--{name}={getattr(options, name)}: give at least 1")
  if options.seed < 0:
    raise UserError(f"--seed={options.seed}: give at least 0")
  given = parse(options.what)
  config = common_config(given, options, overrides)
  configs = entrant_configs(given, config, overrides)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import compare_runs, devices

  devices.initialise()
  return compare_runs.run(given, config, configs, options)


def _parser() -> argparse.ArgumentParser:
  parser = Parser("compare", __doc__)
  add = parser.add_argument
  add("what", nargs="*", metavar="[NAME=]WHAT", help="what to compare")
  add_config_flag(parser, required=False)
  add_pair_flags(parser)
  add_weights_flag(parser)
  add(
    "--output",
    default="comparison",
    metavar="DIR",
    help="folder to write to; default: comparison",
  )
  add(
    "--resamples",
    type=int,
    default=5000,
    metavar="N",
    help="of the pictures, for the intervals; default: 5000",
  )
  add("--export", action="store_true", help="write what others are to fill")
  add("--study", action="store_true", help="write a page for people to judge")
  add(
    "--questions",
    type=int,
    default=60,
    metavar="N",
    help="of --study: pairs to judge; default: 60",
  )
  add(
    "--seed",
    type=int,
    default=0,
    metavar="N",
    help="of the resampling, and of the questions' order; default: 0",
  )
  add("--tally", nargs="+", metavar="FILE", help="count answers to --study")
  return parser


def _tally(options: argparse.Namespace) -> int:
  from sginpaint.evaluation import study_report, study_tally

  if options.what:
    raise UserError("--tally: takes answers only; leave out what was compared")
  answers = study_tally.read_answers(options.tally)
  found = study_tally.tally(answers)
  study_report.save(found, options.output)
  print(study_report.to_text(found))
  print(f"written to {options.output}")
  return 0


def common_config(
  given: Sequence[Given],
  options: argparse.Namespace,
  overrides: Mapping[str, str],
) -> ConfigDict | None:
  """What says which pictures and holes there are, and how they are scored.

  Args:
    given: what is compared.
    options: flags.
    overrides: {"<field>": value as typed}.

  Returns:
    None where nothing has to be evaluated.

  Raises:
    UserError: nothing says it, or a field needs mending.
  """
  if all(one.kind == EVALUATION for one in given):
    return None
  workdirs = [one.path for one in given if one.kind == CHECKPOINT]
  if options.config:
    config = load_config_file(options.config)
  elif workdirs:
    config = load_config(workdirs[0])
  else:
    raise UserError(
      "--config: no workdir is compared that would say which pictures and "
      "holes; give configs/<name>.py:data=<recipe>"
    )
  config = ConfigDict(plain_config(config))
  # They would be of the checkpoints alone; evaluate shows them.
  config.eval.analyses, config.eval.baselines = [], []
  apply_overrides(config, overrides, sections=("eval", "data"))
  apply_pair_flags(config, options)
  return config


def entrant_configs(
  given: Sequence[Given],
  common: ConfigDict | None,
  overrides: Mapping[str, str],
) -> dict[str, ConfigDict]:
  """{name: config} of the checkpoints: their own, on the common pictures.

  Raises:
    UserError: a checkpoint is of another size.
  """
  configs = {}
  for one in given:
    if common is None or one.kind != CHECKPOINT:
      continue
    own = ConfigDict(plain_config(load_config(one.path)))
    size, asked = own.data.image_size, common.data.image_size
    if size != asked and "data.image_size" not in overrides:
      raise UserError(
        f"{one.source}: was trained at {size} px, but {asked} px are compared; "
        "give the side for all, as --config.data.image_size=256"
      )
    outputs = own.eval.outputs
    own.eval = common.copy_and_resolve_references().eval
    if "eval.outputs" not in overrides:
      own.eval.outputs = outputs
    same = all(own.data[f] == common.data[f] for f in ("name", "path"))
    own.data.update({field: common.data[field] for field in _PICTURES})
    if not same:  # it was trained with none of these pictures
      own.data.train_split = ""
    configs[one.name] = own
  return configs
