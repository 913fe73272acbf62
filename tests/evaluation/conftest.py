"""What the tests of contestants and of comparisons share: two scored toys."""

import pytest

from tests.evaluation.arena import Arena


@pytest.fixture(scope="session")
def arena(tmp_path_factory):
  return Arena(tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="session")
def toys(arena):
  return [arena.toy("eight", 8.0), arena.toy("five", 5.0)]


@pytest.fixture(scope="session")
def scored(arena, toys):
  return [arena.score(toy) for toy in toys]
