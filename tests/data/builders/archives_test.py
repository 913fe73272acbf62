"""Members of archives: the same bytes from a zip, a tar and a folder."""

import gzip
import pickle

import pytest

from sginpaint.data.builders.archives import ManualDir
from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError
from tests.data.builders.published import write_folder, write_tar, write_zip

FILES = {"a/x.bin": bytes(range(256)) * 9, "a/b/y.txt": b"why", "z": b""}


def write(path, files=FILES):
  kind = {".zip": write_zip, ".tar": write_tar, ".gz": write_tar}
  kind.get(path.suffix, write_folder)(path, files)
  return path


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ""])
def test_members_read_the_same_everywhere(tmp_path, suffix):
  write(tmp_path / f"set{suffix}")
  members = ManualDir(tmp_path, tmp_path / "scratch").members("set")
  assert list(members) == ["set/a/b/y.txt", "set/a/x.bin", "set/z"]
  for name, member in pickle.loads(pickle.dumps(members)).items():
    assert member.read() == FILES[name.removeprefix("set/")]


def test_everything_that_is_there(tmp_path):
  write(tmp_path / "one.zip", {"1": b"1"})
  write(tmp_path / "two", {"2": b"2"})
  (tmp_path / "readme.md").write_text("no archive")
  manual = ManualDir(tmp_path, tmp_path / "building")
  assert list(manual.members()) == ["one/1", "two/2"]
  assert manual.text("readme.md") == "no archive" and not manual.text("other")


def test_damage_is_noticed_in_the_member_it_hits(tmp_path):
  path = write(tmp_path / "set.zip")
  members = ManualDir(tmp_path, tmp_path).members("set")
  data = bytearray(path.read_bytes())
  data[data.find(bytes(range(200)))] ^= 1
  path.write_bytes(data)
  with pytest.raises(UnreadableError, match="CRC"):
    members["set/a/x.bin"].read()
  assert members["set/a/b/y.txt"].read() == b"why"


def test_members_beyond_the_end_of_the_archive(tmp_path):
  path = write(tmp_path / "set.tar")
  members = ManualDir(tmp_path, tmp_path).members("set")
  path.write_bytes(path.read_bytes()[:600])
  with pytest.raises(UnreadableError, match="ends before it"):
    members["set/a/x.bin"].read()


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_archives_that_are_not_whole(tmp_path, suffix):
  path = write(tmp_path / f"set{suffix}")
  path.write_bytes(path.read_bytes()[:-40])
  with pytest.raises(UserError, match=rf"set{suffix}: .* get it anew"):
    ManualDir(tmp_path, tmp_path / "scratch").members("set")


def test_a_compressed_tar_is_decompressed_once(tmp_path, monkeypatch):
  write(tmp_path / "set.tar.gz")
  manual = ManualDir(tmp_path, tmp_path / "scratch")
  first = manual.members("set")
  monkeypatch.setattr(gzip, "open", None)
  assert manual.members("set") == first


def test_what_is_missing_is_named(tmp_path):
  with pytest.raises(UserError, match="no such folder"):
    ManualDir(tmp_path / "nowhere", tmp_path)
  with pytest.raises(UserError, match=r"no set\.zip or \.tar"):
    ManualDir(tmp_path, tmp_path).members("set")
