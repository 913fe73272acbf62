"""What a check of data found, and the verdict on it.

An error keeps data from being trained on as it was meant; a warning is worth a
look before a long training; a note is for information.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

ERROR, WARNING, NOTE = "error", "warning", "note"
_ORDER = (ERROR, WARNING, NOTE)
_KEPT = 20  # examples that a finding keeps
_SHOWN = 3  # ... and that its line names


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
  """What can be found.

  Attributes:
    code: its name for programs.
    severity: ERROR, WARNING or NOTE.
    title: what it is, in the plural, for people.
    mend: what to do about it.
    shown: how many examples its line names.
  """

  code: str
  severity: str
  title: str
  mend: str = ""
  shown: int = _SHOWN


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
  """How often something was found, and where first.

  Attributes:
    kind: what it is.
    count: how often.
    examples: the first ones, by name.
  """

  kind: Kind
  count: int
  examples: tuple[str, ...]

  @property
  def line(self) -> str:
    """All of it for people."""
    kind = self.kind
    text = f"{kind.severity:7}  {kind.title}"
    if self.count:
      text += f": {self.count:,}"
    if shown := self.examples[: kind.shown]:
      more = "; ..." if self.count > len(shown) else ""
      text += f" ({'; '.join(shown)}{more})"
    return f"{text} -> {kind.mend}" if kind.mend else text

  def as_json(self) -> dict[str, Any]:
    """All of it for programs."""
    return {
      "code": self.kind.code,
      "severity": self.kind.severity,
      "title": self.kind.title,
      "count": self.count,
      "examples": list(self.examples),
      "mend": self.kind.mend,
    }


class Findings:
  """Collects findings, each kind in one place, in bounded memory."""

  def __init__(self):
    self._kinds: dict[str, Kind] = {}
    self._counts: dict[str, int] = {}
    self._examples: dict[str, list[str]] = {}

  def add(self, kind: Kind, example: str = "", *, count: int = 1) -> None:
    """Counts one more of a kind; of several with one code the last speaks.

    Args:
      kind: what was found.
      example: where.
      count: how many it stands for; 0 = what is found is no number.
    """
    self._kinds[kind.code] = kind
    self._counts[kind.code] = self._counts.get(kind.code, 0) + count
    examples = self._examples.setdefault(kind.code, [])
    if example and len(examples) < _KEPT:
      examples.append(example)

  def count(self, severity: str) -> int:
    """How many kinds of this severity were found."""
    return sum(kind.severity == severity for kind in self._kinds.values())

  def sorted(self) -> tuple[Finding, ...]:
    """The worst first, otherwise as they were found."""
    found = [
      Finding(kind, self._counts[code], tuple(self._examples[code]))
      for code, kind in self._kinds.items()
    ]
    return tuple(sorted(found, key=lambda f: _ORDER.index(f.kind.severity)))


@dataclasses.dataclass(frozen=True)
class Report:
  """What was checked, and what came of it.

  Attributes:
    source: the folder or directory.
    what: what it holds, for people.
    read: what was read, such as {"train": 90}.
    findings: the worst first.
    use: what sound data of this kind can be used for, as "can be trained on".
  """

  source: str
  what: str
  read: Mapping[str, int]
  findings: tuple[Finding, ...]
  use: str

  def count(self, severity: str) -> int:
    """How many findings of this severity there are."""
    return sum(f.kind.severity == severity for f in self.findings)

  @property
  def sound(self) -> bool:
    """Whether there is no error."""
    return not self.count(ERROR)

  @property
  def text(self) -> str:
    """For people: what it is, a line for each finding, and the verdict."""
    lines = [f"{self.source}: {self.what}"]
    lines += [f"  {finding.line}" for finding in self.findings]
    counts = ", ".join(
      f"{n or 'no'} {severity}{'' if n == 1 else 's'}"
      for severity in _ORDER
      for n in [self.count(severity)]
    )
    verdict = (
      self.use if self.sound else f"mend the errors before it {self.use}"
    )
    return "\n".join([*lines, f"verdict: {verdict} ({counts})"])

  def as_json(self) -> dict[str, Any]:
    """For programs."""
    return {
      "source": self.source,
      "what": self.what,
      "read": dict(self.read),
      "sound": self.sound,
      "counts": {severity: self.count(severity) for severity in _ORDER},
      "findings": [finding.as_json() for finding in self.findings],
    }
