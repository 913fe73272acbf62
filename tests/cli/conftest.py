"""What the tests of the ladder share: toy systems, scenes, two configs."""

import pytest

from tests.cli.ladders import toys, two_configs
from tests.training.small import prepare_scenes


@pytest.fixture(scope="module")
def known_toys():
  with toys():
    yield


@pytest.fixture(scope="session")
def data(tmp_path_factory):
  return prepare_scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def configs(known_toys, data, tmp_path_factory):
  return two_configs(tmp_path_factory.mktemp("configs"), data)
