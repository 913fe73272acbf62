"""`python -m sginpaint prepare`, and what recipes say without their data."""

import importlib

import pytest

from configs import common
from sginpaint.cli.__main__ import main
from sginpaint.data.builders.catalogue import SETS
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from tests.data.builders import published
from tests.data.example_folders import make_folder


def test_a_data_set_is_built_and_told_of(tmp_path, capsys):
  published.paris_streetview(tmp_path / "manual")
  flags = ["--manual-dir", str(tmp_path / "manual"), "--workers", "1"]
  flags += ["--data-dir", str(tmp_path / "data")]
  assert main(["prepare", "paris_streetview", *flags]) == 0
  directory = tmp_path / "data" / "paris_streetview"
  out = capsys.readouterr().out
  assert f"{directory} is ready: 1 test, 2 train" in out
  assert f"data=paris_streetview --config.data.path={directory}" in out
  assert main(["prepare", "paris_streetview", *flags]) == 0
  assert "is there already (delete it" in capsys.readouterr().out


def test_a_folder_is_built(tmp_path, capsys):
  root = make_folder(tmp_path / "own", 4)
  flags = ["--manual-dir", str(root), "--data-dir", str(tmp_path)]
  assert main(["prepare", "folder", *flags, "--workers=1"]) == 0
  assert "--config.data.name=tfds" in capsys.readouterr().out


@pytest.mark.parametrize(
  ("argv", "message"),
  [
    (["imagenet"], "invalid choice: 'imagenet'"),
    (["ffhq"], "--manual-dir is missing: get Flickr-Faces-HQ"),
    (["ffhq", "--manual-dir=nowhere"], "nowhere: no such folder"),
    (["ffhq", "--manual-dir=.", "--workers=0"], "--workers=0: give at least 1"),
    (["ffhq", "--manual-dir=.", "--size=-1"], "--size=-1: give at least 0"),
  ],
)
def test_bad_input_is_one_line(argv, message, tmp_path, monkeypatch, capsys):
  monkeypatch.chdir(tmp_path)
  assert main(["prepare", *argv]) == 2
  line = capsys.readouterr().err
  assert message in line and line.count("\n") == 1
  assert not list(tmp_path.iterdir())


def test_help_says_what_each_set_needs(capsys):
  assert main(["prepare", "--help"]) == 0
  out = capsys.readouterr().out
  for data_set in SETS.values():
    assert f"{data_set.name}: {data_set.files}" in out


@pytest.mark.parametrize("name", SETS)
def test_recipe_without_its_data_says_where_to_get_it(
  name, tmp_path, monkeypatch
):
  monkeypatch.chdir(tmp_path)
  config = common.get_config()
  common.apply_data(config, name)
  with pytest.raises(UserError) as error:
    load_dataset(name=config.data.name, path=config.data.path)
  text = str(error.value)
  data_set = SETS[name]
  assert text.startswith(f"data/{name}: no {name} there")
  for part in (data_set.home, data_set.terms, data_set.files):
    assert part in text
  assert f"python -m sginpaint prepare {name} --manual-dir" in text
  assert "\n" not in text


def test_every_set_has_a_recipe_that_names_the_command():
  for name in SETS:
    recipe = importlib.import_module(f"configs.data.{name}")
    assert f"`python -m sginpaint prepare {name}`" in (recipe.__doc__ or "")
    assert recipe.get_config()["name"] == name
