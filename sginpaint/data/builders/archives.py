"""Members of archives and folders, read one at a time and from any process.

Nothing is unpacked: a zip or tar is indexed once, and a `Member` says where its
bytes lie, so that reading it needs neither the index nor the archive's library.
Only what is compressed as a whole (.tar.gz) is first rewritten as a plain tar.
"""

import dataclasses
import functools
import gzip
import logging
import os
import pathlib
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError

_LOG = logging.getLogger(__name__)
_PACKED = (".tar.gz", ".tgz")
_SUFFIXES = (".zip", ".tar", *_PACKED)
_LOCAL_HEADER = struct.Struct("<4s22xHH")


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
  """One file, in an archive or by itself.

  Attributes:
    file: the archive, or the file itself.
    name: path in the archive; "" for a file by itself.
    offset: of its bytes; of its local header in a zip.
    stored: bytes it takes there.
    method: of a zip, 0 = stored or 8 = deflated; -1 elsewhere.
    crc: of a zip, CRC-32 of the bytes it stands for.
  """

  file: str
  name: str = ""
  offset: int = 0
  stored: int = 0
  method: int = -1
  crc: int = 0

  def __str__(self) -> str:
    return f"{self.file}:{self.name}" if self.name else self.file

  def read(self) -> bytes:
    """Its bytes.

    Raises:
      UnreadableError: they are not all there, or damaged.
    """
    try:
      if not self.name:
        return pathlib.Path(self.file).read_bytes()
      if self.method < 0:
        return self._at(self.offset, self.stored)
      return self._inflated()
    except (OSError, zlib.error) as e:
      raise UnreadableError(f"cannot be read ({e})") from e

  def _at(self, offset: int, count: int) -> bytes:
    data = os.pread(_opened(self.file).fileno(), count, offset)
    if len(data) < count:
      raise UnreadableError("the archive ends before it")
    return data

  def _inflated(self) -> bytes:
    header = self._at(self.offset, _LOCAL_HEADER.size)
    magic, name, extra = _LOCAL_HEADER.unpack(header)
    if magic != b"PK\3\4":
      raise UnreadableError("the archive is damaged before it")
    start = self.offset + _LOCAL_HEADER.size + name + extra
    data = self._at(start, self.stored)
    if self.method:
      data = zlib.decompress(data, -zlib.MAX_WBITS)
    if zlib.crc32(data) != self.crc:
      raise UnreadableError("damaged in the archive (CRC)")
    return data


@functools.lru_cache(maxsize=16)
def _opened(path: str) -> BinaryIO:
  return open(path, "rb")


class ManualDir:
  """The folder into which a person put the archives of a data set.

  An archive may also be there unpacked, as a folder of its name.
  """

  def __init__(self, path: str | pathlib.Path, scratch: pathlib.Path):
    """Looks whether there is such a folder.

    Args:
      path: the folder.
      scratch: where what is compressed as a whole is rewritten.

    Raises:
      UserError: there is none.
    """
    self.path = pathlib.Path(path).expanduser()
    self._scratch = scratch
    if not self.path.is_dir():
      raise UserError(f"--manual-dir {path}: no such folder")

  def has(self, stem: str) -> bool:
    """Whether there is an archive or a folder of that name."""
    return self._find(stem) is not None

  def members(self, *stems: str) -> dict[str, Member]:
    """Files of archives or folders, by `<stem>/<path inside>`, sorted.

    Args:
      stems: names of archives without suffix; none = whatever is there.

    Raises:
      UserError: one is not there, or no archive.
    """
    if not stems:
      found = {_stem(path): path for path in sorted(self.path.iterdir())}
      stems = tuple(s for s in found if s and self.has(s))
    members: dict[str, Member] = {}
    for stem in stems:
      path = self._find(stem)
      if path is None:
        raise UserError(f"{self.path}: no {stem}.zip or .tar(.gz) there")
      for name, member in self._list(path):
        members[f"{stem}/{name}"] = member
    return dict(sorted(members.items()))

  def text(self, name: str) -> str | None:
    """A text file of the folder itself, or None."""
    path = self.path / name
    return path.read_text("utf-8-sig") if path.is_file() else None

  def _find(self, stem: str) -> pathlib.Path | None:
    for suffix in (*_SUFFIXES, ""):
      path = self.path / (stem + suffix)
      if path.is_dir() if not suffix else path.is_file():
        return path
    return None

  def _list(self, path: pathlib.Path) -> Iterator[tuple[str, Member]]:
    if path.is_dir():
      yield from _of_folder(path)
      return
    _LOG.info("reading the index of %s", path)
    try:
      if path.suffix == ".zip":
        yield from _of_zip(path)
      else:
        yield from _of_tar(self._plain(path))
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile) as e:
      raise UserError(f"{path}: not a whole archive ({e}); get it anew") from e
    except (EOFError, zlib.error) as e:
      raise UserError(f"{path}: cut off or damaged; get it anew") from e

  def _plain(self, path: pathlib.Path) -> pathlib.Path:
    """The tar itself; a compressed one cannot be read out of order."""
    if not path.name.endswith(_PACKED):
      return path
    plain = self._scratch / f"{_stem(path)}.tar"
    if not plain.is_file():
      _LOG.info("decompressing %s to %s", path, plain)
      plain.parent.mkdir(parents=True, exist_ok=True)
      draft = plain.with_suffix(f".{os.getpid()}.part")
      with gzip.open(path) as source, draft.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
      os.replace(draft, plain)
    return plain


def _stem(path: pathlib.Path) -> str:
  """Name of an archive without its suffix, of a folder; "" of other files."""
  for suffix in _SUFFIXES:
    if path.name.endswith(suffix):
      return path.name.removesuffix(suffix)
  return path.name if path.is_dir() else ""


def _of_folder(root: pathlib.Path) -> Iterator[tuple[str, Member]]:
  for folder, _, files in os.walk(root, followlinks=True):
    for file in files:
      path = pathlib.Path(folder, file)
      size = path.stat().st_size
      yield (
        path.relative_to(root).as_posix(),
        Member(file=str(path), stored=size),
      )


def _of_zip(path: pathlib.Path) -> Iterator[tuple[str, Member]]:
  file = str(path)
  with zipfile.ZipFile(path) as archive:
    for info in archive.infolist():
      if info.is_dir():
        continue
      if info.compress_type not in (0, 8) or info.flag_bits & 1:
        raise UserError(
          f"{path}: {info.filename} is encrypted or compressed in a way that "
          "is not read; unpack the archive into a folder of its name"
        )
      yield (
        info.filename,
        Member(
          file,
          info.filename,
          info.header_offset,
          info.compress_size,
          info.compress_type,
          info.CRC,
        ),
      )


def _of_tar(path: pathlib.Path) -> Iterator[tuple[str, Member]]:
  file = str(path)
  with tarfile.open(path, "r:") as archive:
    while (info := archive.next()) is not None:
      # The library keeps every header: gigabytes for millions of members.
      archive.members.clear()  # type: ignore[attr-defined]
      if info.isreg():
        name = info.name.removeprefix("./")
        yield name, Member(file, name, info.offset_data, info.size)
