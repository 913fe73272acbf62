"""Paths that cannot be what a command takes them for."""

import pytest

from sginpaint.cli import paths
from sginpaint.errors import UserError


def test_workdir_that_is_a_file_is_refused(tmp_path):
  (tmp_path / "run").write_text("")
  with pytest.raises(UserError, match="--workdir=.*run: is a file"):
    paths.check_workdir(str(tmp_path / "run"))
  paths.check_workdir(str(tmp_path / "new" / "run"))
  assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
  ("name", "new", "message"),
  [
    ("", False, "--output='': empty"),
    ("file", False, "file: is a file; give a folder"),
    ("file", True, "file: exists already; choose another folder"),
    ("full", True, "full: exists already; choose another folder"),
    ("file/inner", False, "file is a file; choose another folder"),
  ],
)
def test_output_that_cannot_be_a_folder_is_refused(
  tmp_path, monkeypatch, name, new, message
):
  monkeypatch.chdir(tmp_path)
  (tmp_path / "full").mkdir()
  for file in ("file", "full/file"):
    (tmp_path / file).write_text("")
  with pytest.raises(UserError, match=message):
    paths.check_output_folder(name, new=new)


@pytest.mark.parametrize("new", [False, True])
def test_output_may_be_an_empty_folder_or_none_yet(tmp_path, new):
  (tmp_path / "empty").mkdir()
  for name in ("empty", "a/b"):
    paths.check_output_folder(str(tmp_path / name), new=new)
  assert not (tmp_path / "a").exists()
