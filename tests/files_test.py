"""Digests, the cache directory and atomic writing."""

import json
import os
import pathlib

import pytest

from sginpaint import files


def test_digest_tells_parts_apart():
  digest = files.digest
  assert digest("ab", "c") != digest("a", "bc") != digest("abc")
  assert digest("ab", "c") == digest(b"ab", b"c")


def test_cache_directory(monkeypatch, tmp_path):
  monkeypatch.setenv("SGINPAINT_CACHE", str(tmp_path))
  assert files.cache_directory() == tmp_path
  monkeypatch.delenv("SGINPAINT_CACHE")
  monkeypatch.setenv("XDG_CACHE_HOME", "/x")
  assert files.cache_directory() == pathlib.Path("/x/sginpaint")


class TestWriteAtomically:
  def test_replaces_or_leaves(self, tmp_path):
    path = tmp_path / "a" / "x.json"
    files.write_atomically(path, "old")
    files.write_atomically(path, b"new")
    assert path.read_text() == "new"
    with pytest.raises(UnicodeEncodeError):
      files.write_atomically(path, "\ud800")
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]

  def test_failed_move_leaves_the_old_file_alone(self, tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
      files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]

  def test_others_may_read_what_the_umask_lets_them(self, tmp_path):
    before = os.umask(0o022)
    try:
      files.write_atomically(tmp_path / "x", "text")
    finally:
      os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


def test_nan_is_no_json(tmp_path):
  path = tmp_path / "metrics.json"
  files.write_json(path, {"psnr": 1.0})
  with pytest.raises(ValueError, match="JSON"):
    files.write_json(path, {"psnr": float("nan")})
  assert json.loads(path.read_text()) == {"psnr": 1.0}
  assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]
