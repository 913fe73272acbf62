"""What a disk refuses, in one line: the mend is a person's, not a program's."""

import errno
from collections.abc import Iterator

_ROOM = "make room, then give the same command again"
_PLACE = "change its permissions, or choose another place"
_MENDS = {
  errno.ENOSPC: _ROOM,
  errno.EDQUOT: _ROOM,
  errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
  errno.EMFILE: "raise the limit on open files (ulimit -n)",
  errno.EACCES: _PLACE,
  errno.EPERM: _PLACE,
  errno.EROFS: "choose another place",
  errno.ENAMETOOLONG: "choose a shorter name",
}


def refusal(error: BaseException) -> str:
  """What to tell a person of an error that comes from the disk; else "".

  Args:
    error: as it was caught. The refusal may be what it came from: libraries
      that write checkpoints hand on the words of the system at best.
  """
  for cause in _causes(error):
    number = cause.errno if isinstance(cause, OSError) else None
    if number in _MENDS and isinstance(cause, OSError):
      where = cause.filename or "a file"
      return f"{where}: {cause.strerror}; {_MENDS[number]}"
    if number is None and "No space left on device" in str(cause):
      return f"No space left on device; {_ROOM}"
  return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
  while error is not None:
    yield error
    error = error.__cause__ or error.__context__
