"""The one exception that a person, not a programmer, is meant to read."""


class UserError(Exception):
  """Something the user can mend: a path, a field, a file, a flag.

  The message is one line that names the file or field and says how to mend it.
  `cli/__main__` prints it to stderr and exits with code 2; nothing else in the
  library turns exceptions into messages.
  """
