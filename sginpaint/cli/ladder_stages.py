"""Rows of a ladder that begin with what other rows learnt.

A config says `runs/<config>` in `init_from` for the training that its usual
command leaves there. In a ladder, where <config> is a row, the training of that
row under the same seed takes its place.
"""

import pathlib
from collections.abc import Collection, Mapping

from ml_collections import ConfigDict

from sginpaint.errors import UserError


def source_rows(config: ConfigDict, rows: Collection[str]) -> dict[str, str]:
  """{target of `init_from`: row that it begins with}; other sources are left.

  Args:
    config: of a row.
    rows: names of all rows.
  """
  meant = {pathlib.PurePath("runs", name): name for name in rows}
  return {
    target: meant[path]
    for target, source in config.init_from.items()
    if (path := pathlib.PurePath(source)) in meant
  }


def check_stages(configs: Mapping[str, ConfigDict]) -> None:
  """Raises UserError where a row would begin before its source was trained.

  Args:
    configs: {name of the row: config}, in the order of training.
  """
  above: list[str] = []
  for name, config in configs.items():
    for target, source in source_rows(config, configs).items():
      if source not in above:
        raise UserError(
          f"{name}: config.init_from[{target!r}] is the row {source}, which is "
          "not above it; give --configs in the order of training"
        )
    above.append(name)


def begin_from(config: ConfigDict, folders: Mapping[str, pathlib.Path]) -> None:
  """Puts the trainings of this ladder into `config.init_from`.

  Args:
    config: of one run; is changed.
    folders: {name of the row: workdir of its run under the same seed}.
  """
  for target, source in source_rows(config, folders).items():
    config.init_from[target] = str(folders[source])
