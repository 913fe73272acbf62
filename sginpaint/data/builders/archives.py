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
from collections.abc import Iterator, Mapping
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


def read_text(members: Mapping[str, Member], name: str) -> str | None:
  """The text file of that name, wherever it lies, or None.

  Raises:
    UserError: it is damaged, or no text.
  """
  for path, member in members.items():
    if path.rpartition("/")[2] == name:
      try:
        return member.read().decode("utf-8-sig")
      except (UnreadableError, UnicodeDecodeError) as e:
        raise UserError(f"{member}: no sound text ({e}); get it anew") from e
  return None


def read_pairs(text: str, where: str) -> dict[str, str]:
  """First -> second word of every line.

  Raises:
    UserError: a line has not two words.
  """
  rows = [line.split() for line in text.splitlines() if line.strip()]
  for row in rows:
    if len(row) != 2:
      raise UserError(
        f"{where}: {' '.join(row)[:80]!r} is not two words; get the file anew"
      )
  return {row[0]: row[1] for row in rows}


class ManualDir:
  """The folder into which a person put the archives of a data set.

  An archive may also be there unpacked, as a folder of its name. Hidden files,
  and those that macOS adds to archives, are passed over.
  """

  def __init__(
    self,
    path: str | pathlib.Path,
    scratch: pathlib.Path,
    how_to_get: str = "put it there",
  ):
    """Looks what is in the folder.

    Args:
      path: the folder.
      scratch: where what is compressed as a whole is rewritten.
      how_to_get: ends the message about something that is not there.

    Raises:
      UserError: there is no such folder, or it cannot be read.
    """
    self.path = pathlib.Path(path).expanduser()
    self._scratch = scratch
    self._how_to_get = how_to_get
    if not os.path.isdir(self.path):
      raise UserError(f"--manual-dir {path}: no such folder")
    try:
      entries = sorted(self.path.iterdir())
    except OSError as e:
      raise UserError(f"--manual-dir {path}: {e.strerror}") from e
    # Of an archive and a folder of its name the archive is surely whole.
    archives = [(_stem(p), p) for p in entries if not p.is_dir()]
    self._found = {p.name: p for p in entries if p.is_dir()}
    self._found |= {stem: path for stem, path in archives if stem}
    self._loose = [path for stem, path in archives if not stem]

  def missing(self, what: str) -> UserError:
    """To be raised: says that something is not there, and how to get it."""
    return UserError(f"{self.path}: {what} there; {self._how_to_get}")

  def has(self, stem: str) -> bool:
    """Whether there is an archive or a folder of that name."""
    return stem in self._found

  def one_of(self, *stems: str) -> str:
    """The first that is there, else the first of all.

    Unpacked, many archives make a folder of another name than their own.
    """
    return next(filter(self.has, stems), stems[0])

  def members(self, *stems: str) -> dict[str, Member]:
    """Files of archives or folders, by `<stem>/<path inside>`, sorted.

    Args:
      stems: names of archives without suffix; none = whatever is there, also
        files by themselves.

    Raises:
      UserError: one is not there, or no archive.
    """
    members: dict[str, Member] = {}
    if not stems:
      stems = tuple(self._found)
      members = {path.name: Member(str(path)) for path in self._loose}
    for stem in stems:
      if stem not in self._found:
        raise self.missing(f"no {stem}.zip, .tar, .tar.gz or folder {stem}")
      for name, member in self._list(self._found[stem]):
        members[f"{stem}/{name.removeprefix('./')}"] = member
    return {
      path: member
      for path, member in sorted(members.items())
      if not _is_junk(path)
    }

  def text(self, name: str) -> str | None:
    """A text file of the folder itself, or None."""
    path = self.path / name
    return (
      read_text({name: Member(str(path))}, name) if path.is_file() else None
    )

  def _list(self, path: pathlib.Path) -> Iterator[tuple[str, Member]]:
    if not path.is_dir():
      _LOG.info("reading the index of %s", path)
    try:
      if path.is_dir():
        yield from _of_folder(path)
      elif path.suffix.lower() == ".zip":
        yield from _of_zip(path)
      else:
        yield from _of_tar(self._plain(path))
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile) as e:
      raise UserError(f"{path}: not a whole archive ({e}); get it anew") from e
    except (EOFError, zlib.error) as e:
      raise UserError(f"{path}: cut off or damaged; get it anew") from e
    except OSError as e:  # of the archive, or of where it is decompressed to
      raise UserError(
        f"{e.filename or path}: {e.strerror or e}; see to the rights and the "
        "room on the disk"
      ) from e

  def _plain(self, path: pathlib.Path) -> pathlib.Path:
    """The tar itself; a compressed one cannot be read out of order."""
    if not path.name.lower().endswith(_PACKED):
      return path
    plain = self._scratch / f"{_stem(path)}.tar"
    if not plain.is_file():
      _LOG.info("decompressing %s to %s", path, plain)
      plain.parent.mkdir(parents=True, exist_ok=True)
      draft = plain.with_suffix(f".{os.getpid()}.part")
      try:
        with gzip.open(path) as source, draft.open("wb") as target:
          shutil.copyfileobj(source, target, 1 << 20)
        os.replace(draft, plain)
      finally:
        draft.unlink(missing_ok=True)
    return plain


def _stem(path: pathlib.Path) -> str:
  """Name of an archive without its suffix; "" of other files."""
  for suffix in _SUFFIXES:
    if path.name.lower().endswith(suffix):
      return path.name[: -len(suffix)]
  return ""


def _is_junk(path: str) -> bool:
  parts = path.split("/")
  return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _of_folder(root: pathlib.Path) -> Iterator[tuple[str, Member]]:
  def stop(error: OSError) -> None:
    raise error

  for folder, _, files in os.walk(root, onerror=stop, followlinks=True):
    for file in files:
      path = pathlib.Path(folder, file)
      # A link to nowhere is found out, and named, when it is read.
      size = path.stat().st_size if path.exists() else 0
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
          "is not read; unpack the archive into a folder of its name and take "
          "the archive away"
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
  with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:") as archive:
    while (info := archive.next()) is not None:
      # The library keeps every header: gigabytes for millions of members.
      archive.members.clear()  # type: ignore[attr-defined]
      if info.isreg():
        yield info.name, Member(file, info.name, info.offset_data, info.size)
    # The library takes a damaged header for the end.
    raw.seek(archive.offset)
    if raw.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
      raise tarfile.ReadError(f"damaged at byte {archive.offset}")
