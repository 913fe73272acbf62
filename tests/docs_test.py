"""What the documents name exists: configs, recipes, protocols, commands."""

import pathlib
import re

import pytest

from sginpaint.cli.__main__ import COMMANDS
from sginpaint.cli.evaluate import PROTOCOLS as FLAGS
from sginpaint.evaluation.protocols import PROTOCOLS

_ROOT = pathlib.Path(__file__).parents[1]
_TEXT = (_ROOT / "docs" / "tables.md").read_text()


@pytest.mark.parametrize(
  "name", sorted(set(re.findall(r"configs/\w+(?:/\w+)?\.\w+", _TEXT)))
)
def test_configs_exist(name):
  assert (_ROOT / name).is_file()


def test_recipes_exist():
  named = set(re.findall(r"data=(\w+)", _TEXT))
  loops = re.findall(r"for data in ([\w ]+);", _TEXT)
  for name in named.union(*(loop.split() for loop in loops)):
    assert (_ROOT / "configs" / "data" / f"{name}.py").is_file(), name


def test_protocols_and_commands_are_known():
  named = re.findall(r"protocol=(\w+)", _TEXT)
  assert set(named) == {"sge_net", "boosted_gan", "spl", "espa"}
  assert set(named) <= set(PROTOCOLS)
  assert tuple(PROTOCOLS) == FLAGS
  assert set(re.findall(r"-m sginpaint (\w+)", _TEXT)) <= set(COMMANDS)
