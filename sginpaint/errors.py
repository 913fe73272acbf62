"""The one exception that a person, not a programmer, is meant to read."""

from collections.abc import Collection


class UserError(Exception):
  """Something the user can mend: a path, a field, a file, a flag.

  The message is one line that names the file or field and says how to mend it:
  `field=value: what is wrong; the mend`. `cli/__main__` prints it to stderr and
  exits with code 2; nothing else in the library turns exceptions into messages.
  """


def check_choice(field: str, value: str, choices: Collection[str]) -> None:
  """Raises UserError unless `value`, given as `config.<field>`, is a choice."""
  if value not in choices:
    raise UserError(
      f"config.{field}={value}: not known; choose from {', '.join(choices)}"
    )
