"""Members of archives: the same bytes from a zip, a tar and a folder."""

import gzip
import os
import pickle

import pytest

from sginpaint.data.builders.archives import ManualDir, read_pairs, read_text
from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError
from tests.data.builders.published import write_folder, write_tar, write_zip

FILES = {"a/x.bin": bytes(range(256)) * 9, "a/b/y.txt": b"why", "z": b""}


def write(path, files=FILES):
  kind = {".zip": write_zip, ".tar": write_tar, ".gz": write_tar}
  kind[".ZIP"] = write_zip
  kind.get(path.suffix, write_folder)(path, files)
  return path


@pytest.mark.parametrize("suffix", [".zip", ".ZIP", ".tar", ".tar.gz", ""])
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
  assert list(manual.members()) == ["one/1", "readme.md", "two/2"]
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


@pytest.mark.parametrize("changes", [{6: 66}, {9: 8, 46: 0xE9}])
def test_a_damaged_index_of_a_zip(tmp_path, changes):
  """A version of tomorrow; a name that is said to be UTF-8 and is not."""
  path = write(tmp_path / "set.zip", {"name": b""})
  data = bytearray(path.read_bytes())
  index = data.find(b"PK\1\2")
  for place, value in changes.items():
    data[index + place] = value
  path.write_bytes(data)
  with pytest.raises(UserError, match=r"set\.zip: not a whole archive .* anew"):
    ManualDir(tmp_path, tmp_path).members("set")


def test_a_compressed_tar_is_decompressed_once(tmp_path, monkeypatch):
  write(tmp_path / "set.tar.gz")
  manual = ManualDir(tmp_path, tmp_path / "scratch")
  first = manual.members("set")
  monkeypatch.setattr(gzip, "open", None)
  assert manual.members("set") == first


def test_another_compressed_tar_of_the_same_name_is_decompressed(tmp_path):
  write(tmp_path / "set.tar.gz")
  ManualDir(tmp_path, tmp_path / "scratch").members("set")
  write(tmp_path / "set.tar.gz", {"new": b"other"})
  members = ManualDir(tmp_path, tmp_path / "scratch").members("set")
  assert {k: m.read() for k, m in members.items()} == {"set/new": b"other"}


def test_what_is_missing_is_named(tmp_path):
  with pytest.raises(UserError, match="no such folder"):
    ManualDir(tmp_path / "nowhere", tmp_path)
  with pytest.raises(UserError, match=r"no set\.zip, \.tar, .* folder set"):
    ManualDir(tmp_path, tmp_path).members("set")


def test_hidden_files_and_those_of_macos_are_passed_over(tmp_path):
  junk = {"a/.DS_Store": b"", "__MACOSX/a/._1": b"", "__MACOSX/2": b""}
  write(tmp_path / "set.zip", {"./a/1": b"1"} | junk)
  write(tmp_path / ".git", {"config": b""})
  assert list(ManualDir(tmp_path, tmp_path).members()) == ["set/a/1"]


@pytest.mark.parametrize("keep", [slice(0, 1024), slice(0, 1224)])
def test_a_tar_that_ends_between_members(tmp_path, keep):
  """Where the library says nothing."""
  path = write(tmp_path / "set.tar", {"1": b"1", "2": b"2"})
  path.write_bytes(path.read_bytes()[keep])
  with pytest.raises(UserError, match=r"set\.tar: not a whole archive .* anew"):
    ManualDir(tmp_path, tmp_path).members("set")


def test_a_link_to_nowhere_is_unreadable(tmp_path):
  write(tmp_path / "set", {"1": b"1"})
  (tmp_path / "set" / "2").symlink_to(tmp_path / "nowhere")
  members = ManualDir(tmp_path, tmp_path).members("set")
  assert members["set/1"].read() == b"1"
  with pytest.raises(UnreadableError, match="No such file"):
    members["set/2"].read()


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
  write(tmp_path / "set")
  manual = ManualDir(tmp_path, tmp_path)
  scandir = os.scandir

  def refuse(path):
    if str(path).endswith("b"):
      raise PermissionError(13, "Permission denied", str(path))
    return scandir(path)

  monkeypatch.setattr(os, "scandir", refuse)
  with pytest.raises(UserError, match="set/a/b: Permission denied; see to"):
    manual.members("set")


def test_no_place_to_decompress(tmp_path):
  write(tmp_path / "set.tar.gz")
  (tmp_path / "file").touch()
  manual = ManualDir(tmp_path, tmp_path / "file" / "scratch")
  with pytest.raises(UserError, match="file/scratch: Not a directory; see to"):
    manual.members("set")


def test_texts(tmp_path):
  write(tmp_path / "set", {"a/list.txt": b"x 1\n\ny 2\n", "bad.txt": b"\xff"})
  members = ManualDir(tmp_path, tmp_path).members()
  assert read_pairs(read_text(members, "list.txt"), "") == {"x": "1", "y": "2"}
  assert read_text(members, "ist.txt") is None
  with pytest.raises(UserError, match=r"bad\.txt: no sound text .* anew"):
    read_text(members, "bad.txt")
  with pytest.raises(UserError, match="list: 'x' is not two words"):
    read_pairs("a 1\nx\n", "list")
