"""Answers to a study, counted: who was preferred to whom, and how surely.

A preference is a share of the decided answers with its Wilson interval; answers
of "no difference" are counted apart. The interval takes answers as independent:
with few raters, who each answer much, it is too narrow.
"""

import csv
import dataclasses
import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sginpaint.errors import UserError
from sginpaint.evaluation.intervals import share_interval
from sginpaint.evaluation.results import (
  ALL,
  BUCKETS,
  CLASS_GROUPS,
  in_bucket,
)
from sginpaint.evaluation.study import LEFT, RIGHT, SAME, reveal


@dataclasses.dataclass(frozen=True)
class Answer:
  """What one person said to one question.

  Attributes:
    study: its identity.
    rater: who.
    question: its id.
    left: method on the left.
    right: method on the right.
    choice: LEFT, RIGHT or SAME.
    ratio: of the hole.
    classes: of the picture; None = not known.
  """

  study: str
  rater: str
  question: str
  left: str
  right: str
  choice: str
  ratio: float
  classes: int | None


@dataclasses.dataclass(frozen=True)
class Preference:
  """Of one method to another.

  Attributes:
    wins: answers for the first.
    losses: answers for the second.
    same: answers for neither.
  """

  wins: int
  losses: int
  same: int

  @property
  def share(self) -> float | None:
    """Of the decided answers; None without one."""
    decided = self.wins + self.losses
    return self.wins / decided if decided else None

  @property
  def interval(self) -> tuple[float, float] | None:
    """95 % of `share`."""
    decided = self.wins + self.losses
    return share_interval(self.wins, decided) if decided else None

  @property
  def turned(self) -> "Preference":
    """Of the second to the first."""
    return Preference(self.losses, self.wins, self.same)


# {(first, second): preference}, each pair once.
Matrix = Mapping[tuple[str, str], Preference]


@dataclasses.dataclass(frozen=True)
class Tally:
  """All answers.

  Attributes:
    methods: in alphabetical order.
    raters: how many people.
    answers: how many.
    left: share of the decided answers that are LEFT; near 0.5 unless people
      favour a side; None without decided ones.
    strata: {name: matrix}, `ALL` first, then buckets and class groups.
  """

  methods: Sequence[str]
  raters: int
  answers: int
  left: float | None
  strata: Mapping[str, Matrix]


def read_answers(paths: Iterable[str | Path]) -> list[Answer]:
  """Reads files that the page saved.

  Raises:
    UserError: one is no such file, of another study, or has an answer that was
      read before.
  """
  answers: list[Answer] = []
  seen: dict[tuple[str, str], Path] = {}
  for path in map(Path, paths):
    for answer in _read(path):
      if answers and answer.study != answers[0].study:
        raise UserError(
          f"{path}: answers to another study than the files before; tally one "
          "study at a time"
        )
      what = answer.rater, answer.question
      if what in seen:
        raise UserError(
          f"{path}: {answer.rater} answers {answer.question}, as in "
          f"{seen[what]}; give every answer once"
        )
      seen[what] = path
      answers.append(answer)
  if not answers:
    raise UserError("--tally: the files hold no answers; give others")
  return answers


def _read(path: Path) -> list[Answer]:
  try:
    text = path.read_text("utf-8-sig")  # as spreadsheets save it
    if path.suffix.lower() == ".csv":
      found = list(csv.DictReader(io.StringIO(text)))
    else:
      whole = json.loads(text)
      shared = {name: whole[name] for name in ("study", "rater")}
      found = [answer | shared for answer in whole["answers"]]
    return [_answer(fields) for fields in found]
  except OSError as e:
    raise UserError(f"{path}: cannot be read ({e.strerror})") from e
  except (ValueError, KeyError, TypeError, AttributeError) as e:
    raise UserError(
      f"{path}: not answers to a study ({e}); give what its page saved"
    ) from e


def _answer(fields: Mapping[str, Any]) -> Answer:
  question, choice = fields["question"], fields["choice"]
  if choice not in (LEFT, RIGHT, SAME):
    raise ValueError(f"{choice!r} is no choice")
  return Answer(
    study=str(fields["study"]),
    rater=str(fields["rater"]),
    question=question,
    left=reveal(question, fields["left"]),
    right=reveal(question, fields["right"]),
    choice=choice,
    ratio=float(fields["ratio"]),
    classes=int(fields["classes"]) if fields["classes"] else None,
  )


def tally(answers: Sequence[Answer]) -> Tally:
  """Counts answers to one study, at least one."""
  methods = sorted({m for a in answers for m in (a.left, a.right)})
  places = [_strata(a) for a in answers]
  order = [ALL, *(f"{low}-{high} %" for low, high in BUCKETS)]
  order += [f"{name} classes" for name in CLASS_GROUPS]
  strata = {}
  for name in order:
    some = [a for a, p in zip(answers, places, strict=True) if name in p]
    if some:
      strata[name] = _matrix(some, methods)
  decided = [a.choice for a in answers if a.choice != SAME]
  return Tally(
    methods,
    len({a.rater for a in answers}),
    len(answers),
    decided.count(LEFT) / len(decided) if decided else None,
    strata,
  )


def _strata(answer: Answer) -> list[str]:
  """Where an answer counts."""
  groups = [
    name
    for name, (low, high) in CLASS_GROUPS.items()
    if answer.classes is not None and low <= answer.classes <= high
  ]
  buckets = [b for b in BUCKETS if in_bucket(answer.ratio, *b)]
  return [
    ALL,
    *(f"{low}-{high} %" for low, high in buckets),
    *(f"{name} classes" for name in groups),
  ]


def _matrix(answers: Sequence[Answer], methods: Sequence[str]) -> Matrix:
  found = {}
  for one, other in itertools.combinations(methods, 2):
    asked = [a for a in answers if {a.left, a.right} == {one, other}]
    chosen = [_preferred(a) for a in asked]
    if asked:
      found[one, other] = Preference(
        chosen.count(one), chosen.count(other), chosen.count(None)
      )
  return found


def _preferred(answer: Answer) -> str | None:
  sides = {LEFT: answer.left, RIGHT: answer.right}
  return sides.get(answer.choice)


def to_json(found: Tally) -> dict[str, Any]:
  """preferences.json."""
  return {
    "raters": found.raters,
    "answers": found.answers,
    "share_left": found.left,
    "methods": list(found.methods),
    "strata": {
      stratum: [
        {
          "of": one,
          "to": other,
          **dataclasses.asdict(preference),
          "share": preference.share,
          "interval": preference.interval,
        }
        for (one, other), preference in matrix.items()
      ]
      for stratum, matrix in found.strata.items()
    },
  }
