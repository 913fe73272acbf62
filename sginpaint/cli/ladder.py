"""Trains several configs under several seeds and sets them in one table.

python -m sginpaint ladder --workdir=runs/ladder --configs \\
    configs/basic_net.py:quick configs/sg_net.py:quick configs/sge_net.py:quick

Every row has the same data, masks, batches and steps; --config.<field>=VALUE
changes a field of all. Under one seed all rows see the same pictures in the
same order, crops and holes, and begin from the same key.

A row may begin with what another learnt: where its config.init_from names
runs/<config> and <config> is a row above, that row's training under the same
seed is meant. So the stages of one system are trained one after the other:

python -m sginpaint ladder --workdir=runs/ladder_espa --truth --configs \\
    configs/espa_stage1_no_attention.py:quick configs/espa_stage1.py:quick \\
    configs/espa_stage2.py:quick configs/espa_stage3.py:quick

A file may come with several arguments: their words but quick and data=... tell
its rows apart, as `boosted_gan,attributes=0.01`.

Trainings are kept in WORKDIR/<config>/seed<k>, their evaluations in its
eval/<masks> and eval_true_map/<masks>. WORKDIR/ladder.md and ladder.json hold
the rows that were asked for, as far as they are known, and are written anew
after each evaluation. Run again, it resumes; run with more seeds, configs or
masks, it adds to what is there.
"""

import argparse
import operator
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from sginpaint.cli.config_files import parse_config
from sginpaint.cli.evaluate import check_eval
from sginpaint.cli.ladder_stages import check_stages
from sginpaint.cli.overrides import split_overrides
from sginpaint.cli.parser import Parser, add_split_flag
from sginpaint.cli.paths import check_workdir
from sginpaint.errors import UserError

# What rows must share: else they differ in more than the network.
_EQUAL = (
  "data",
  "masks",
  "batch_size",
  "steps",
  "eval.protocol",
  "eval.manifest",
  "eval.count",
  "eval.seed",
  "eval.white_is_hole",
  "eval.irregular_ratio",
  "eval.guidance",
  "eval.baselines",
  "eval.feature_network",
  "eval.lpips_network",
  "eval.segmenter",
  "eval.classifier",
  "eval.retrieval_network",
  "eval.retrieval_groups",
  "eval.edits",
)
# Threads change no example; rows may learn from labels of another origin.
_FREE = ("data.threads", "data.labels")


def main(argv: list[str]) -> int:
  """Runs `ladder --configs FILE[:ARG] ... --workdir=DIR [flags]`.

  Returns:
    0, also after SIGTERM while it trains, or 130 after Ctrl-C.

  Raises:
    UserError: a flag, a config, the data or a workdir needs mending, or the
      configs differ in what rows must share.
  """
  rest, overrides = split_overrides(argv)
  options = _parser().parse_args(rest)
  if "seed" in overrides:
    raise UserError(
      f"--config.seed={overrides['seed']}: --seeds N sets it, to 0 ... N - 1"
    )
  if options.seeds < 1:
    raise UserError(f"--seeds={options.seeds}: give at least 1")
  configs = read_configs(options.configs, overrides)
  check_comparable(configs)
  check_stages(configs)
  _check_masks(options.masks, configs)
  check_workdir(options.workdir)
  # JAX takes seconds to import: a mistyped flag should not wait for it.
  from sginpaint.cli import devices
  from sginpaint.cli.ladder_runs import Ladder

  devices.initialise(preemptible=True)
  return Ladder(
    configs=configs,
    seeds=options.seeds,
    masks=options.masks,
    split=options.split,
    truth=options.truth,
    workdir=pathlib.Path(options.workdir),
  ).climb()


def _parser() -> argparse.ArgumentParser:
  parser = Parser("ladder", __doc__)
  add = parser.add_argument
  add(
    "--configs",
    required=True,
    nargs="+",
    metavar="FILE[:ARG]",
    help="a row each, from the top, named after its file",
  )
  add(
    "--workdir", required=True, metavar="DIR", help="folder to keep it all in"
  )
  add(
    "--seeds", type=int, default=3, metavar="N", help="0 ... N - 1; default: 3"
  )
  add(
    "--masks",
    nargs="+",
    default=["center", "irregular"],
    metavar="NAME|DIR",
    help="center, rectangle, irregular, or folders of masks, a table each; "
    "default: center irregular",
  )
  add_split_flag(parser)
  add(
    "--truth",
    action="store_true",
    help="one more row for each system that takes a segmentation: the same "
    "checkpoints, told the true one",
  )
  return parser


def read_configs(
  files: Sequence[str], overrides: Mapping[str, str]
) -> dict[str, ConfigDict]:
  """{name of the row: config}, in the order given.

  Args:
    files: FILE[:ARG]; the row is named after the file, without its suffix, and
      the words of its argument that are neither `quick` nor `data=...`.
    overrides: {"<field>": value as typed}, for all of them.

  Raises:
    UserError: two rows would have one name, or a config needs mending.
  """
  configs: dict[str, ConfigDict] = {}
  for file in files:
    name = _row_name(file)
    if name in configs:
      raise UserError(
        f"--configs={file}: a second row named {name}; copy the file to "
        "another name"
      )
    try:
      configs[name] = parse_config(file, overrides)
    except UserError as e:
      raise UserError(f"--configs={file}: {e}") from e
  return configs


def _row_name(file: str) -> str:
  path, _, arg = file.partition(":")
  words = filter(None, arg.split(","))
  own = [w for w in words if w != "quick" and not w.startswith("data=")]
  return ",".join([pathlib.Path(path).stem, *own])


def check_comparable(configs: Mapping[str, ConfigDict]) -> None:
  """Raises UserError where rows would differ in more than the network.

  Args:
    configs: {name of the row: config}; the first is what others must equal.
  """
  shared = {name: dict(_shared(config)) for name, config in configs.items()}
  first, expected = next(iter(shared.items()))
  for name, found in shared.items():
    for field in expected | found:
      if found.get(field) != expected.get(field):
        raise UserError(
          f"config.{field}: {found.get(field)!r} in {name}, "
          f"{expected.get(field)!r} in {first}; rows must share it, as by "
          f"--config.{field}=<value>"
        )


def _shared(config: ConfigDict) -> Iterator[tuple[str, Any]]:
  """(field, value) of all that rows must share."""
  for name in _EQUAL:
    value = operator.attrgetter(name)(config)
    if isinstance(value, ConfigDict):
      fields = {f"{name}.{field}": v for field, v in value.items()}
      yield from ((f, v) for f, v in fields.items() if f not in _FREE)
    else:
      yield name, value


def _check_masks(
  masks: Sequence[str], configs: Mapping[str, ConfigDict]
) -> None:
  folders = [pathlib.Path(m).resolve().name for m in masks]
  for name, folder in zip(masks, folders, strict=True):
    if folders.count(folder) > 1:
      raise UserError(
        f"--masks={name}: {folder} is there twice; name each once"
      )
    for config in configs.values():
      changed = config.copy_and_resolve_references()
      changed.eval.masks = name
      check_eval(changed)
