"""What every test of the data needs: a cache of its own."""

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path_factory.mktemp("cache")))
