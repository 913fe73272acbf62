"""What the tests of the boosted GAN's losses and of its guidance share."""

import pytest

from tests.systems.boosted_gan import small


@pytest.fixture(name="variables", scope="session")
def _variables():
  """{player: variables} of a system with everything in it."""
  return small.players(small.system())
