"""Text files that people write by hand: CSV tables, and lists of pictures."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from sginpaint.errors import UserError


@contextlib.contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
  """Opens a text file to read, also as CSV; a byte order mark is passed over.

  Raises:
    UserError: it cannot be read, is not UTF-8, or is not CSV.
  """
  try:
    with path.open(newline="", encoding="utf-8-sig") as file:
      yield file
  except UnicodeDecodeError as e:
    raise UserError(f"{path}: is not UTF-8 text; save it as UTF-8") from e
  except csv.Error as e:
    raise UserError(f"{path}: is not CSV ({e}); mend it") from e
  except OSError as e:
    raise UserError(f"{path}: cannot be read ({e.strerror})") from e
