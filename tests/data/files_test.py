"""Digests and atomic writing."""

from pathlib import Path

import pytest

from sginpaint.data.files import cache_directory, digest, write_atomically


def test_digest_tells_parts_apart():
  assert digest("ab", "c") != digest("a", "bc") != digest("abc")
  assert digest("ab", "c") == digest(b"ab", b"c")


def test_cache_directory(monkeypatch, tmp_path):
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path))
  assert cache_directory() == tmp_path
  monkeypatch.delenv("SGINPAINT_CACHE")
  monkeypatch.setenv("XDG_CACHE_HOME", "/x")
  assert cache_directory() == Path("/x/sginpaint")


def test_write_replaces_or_leaves(tmp_path):
  path = tmp_path / "a" / "x.json"
  write_atomically(path, "old")
  write_atomically(path, "new")
  assert path.read_text() == "new"
  with pytest.raises(UnicodeEncodeError):
    write_atomically(path, "\ud800")
  assert path.read_text() == "new"
  assert [p.name for p in path.parent.iterdir()] == ["x.json"]
