"""Files in archives and folders, each read by itself and from any process.

A `Member` says where its bytes lie, so that reading it needs neither the index
of the archive nor the archive's library.
"""

import dataclasses
import functools
import os
import pathlib
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError

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
    data = os.pread(opened(self.file).fileno(), count, offset)
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
def opened(path: str) -> BinaryIO:
  """The file, kept open."""
  return open(path, "rb")


def of_folder(root: pathlib.Path) -> Iterator[tuple[str, Member]]:
  """(path inside, member) of all files of a folder.

  Raises:
    OSError: it, or a folder in it, cannot be read.
  """

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


def of_zip(path: pathlib.Path) -> Iterator[tuple[str, Member]]:
  """(path inside, member) of all files of a zip.

  Raises:
    zipfile.BadZipFile: it is none, or not whole.
    UserError: it is compressed in a way that is not read.
  """
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


def of_tar(path: pathlib.Path) -> Iterator[tuple[str, Member]]:
  """(path inside, member) of all files of a tar that is not compressed.

  Raises:
    tarfile.TarError: it is none, or not whole.
  """
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
