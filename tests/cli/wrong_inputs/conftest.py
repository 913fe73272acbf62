"""The folder in which wrong inputs are given."""

import pytest

from tests.cli.wrong_inputs.files import build


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
  root = tmp_path_factory.mktemp("wrong")
  build(root)
  return root


@pytest.fixture(autouse=True)
def _here(folder, tmp_path, monkeypatch):
  monkeypatch.chdir(folder)
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path))
