"""The folder with the archives of a data set, and the texts in them.

Nothing is unpacked: a zip or tar is indexed once, and its members are read
where they lie. Only what is compressed as a whole (.tar.gz) is first rewritten
as a plain tar.
"""

import gzip
import logging
import os
import pathlib
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from sginpaint.data.builders.members import (
  Member,
  of_folder,
  of_tar,
  of_zip,
  opened,
)
from sginpaint.data.images import UnreadableError
from sginpaint.errors import UserError

_LOG = logging.getLogger(__name__)
_PACKED = (".tar.gz", ".tgz")
_SUFFIXES = (".zip", ".tar", *_PACKED)
# The last two: a damaged index of a zip may name a version of tomorrow, or a
# file in bytes that are no UTF-8.
_DAMAGE = (
  *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile),
  *(NotImplementedError, UnicodeDecodeError),
)


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
    opened.cache_clear()  # what was open may be replaced by now
    if not os.path.isdir(self.path):
      raise UserError(f"--manual-dir={path}: no such folder")
    try:
      entries = sorted(self.path.iterdir())
    except OSError as e:
      raise UserError(f"--manual-dir={path}: {e.strerror}") from e
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
        yield from of_folder(path)
      elif path.suffix.lower() == ".zip":
        yield from of_zip(path)
      else:
        yield from of_tar(self._plain(path))
    except _DAMAGE as e:
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
    # By its size, too: a run that stopped may have left that of another.
    size = path.stat().st_size
    plain = self._scratch / f"{_stem(path)}.{size}.tar"
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
