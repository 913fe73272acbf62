"""A study in which people choose between two fills: its questions.

As in the user studies of the papers, a person sees the damaged picture and two
results, and says which looks better. Which methods they are of is hidden, sides
and order are drawn from a seed. Every pair of methods is asked about the same
pictures, the first of the manifest's seeded order, which are spread over the
hole sizes.
"""

import base64
import collections
import dataclasses
import itertools
import json
from collections.abc import Sequence

import numpy as np

from sginpaint.errors import UserError
from sginpaint.evaluation.manifest import Manifest
from sginpaint.files import digest

LEFT, RIGHT, SAME = "left", "right", "same"


@dataclasses.dataclass(frozen=True)
class Question:
  """Two methods on one picture.

  Attributes:
    id: of the question in its study.
    index: of the picture in its split.
    left: method whose fill is shown on the left.
    right: the other.
  """

  id: str
  index: int
  left: str
  right: str


def make_questions(
  names: Sequence[str], manifest: Manifest, *, count: int, seed: int
) -> list[Question]:
  """Draws the questions, in the order in which they are asked.

  Args:
    names: of the methods, at least two.
    manifest: the pairs of picture and hole; pictures without a hole are not
      asked about.
    count: of questions; fewer where there are not so many.
    seed: of sides and order.

  Raises:
    UserError: there is nothing to ask.
  """
  in_order = sorted(manifest.pairs, key=lambda pair: pair.place)
  indices = [pair.index for pair in in_order if pair.ratio != 0]
  if not indices:
    raise UserError("--study: no picture has a hole; choose other --masks")
  pairs = list(itertools.combinations(names, 2))
  asked = [(i, *pair) for i in indices for pair in pairs][:count]
  rng = np.random.default_rng([seed, len(asked)])
  # Each method of a pair is as often on the left as on the right.
  times = collections.Counter((a, b) for _, a, b in asked)
  turned = {
    pair: list(rng.permutation(np.arange(n) % 2)) for pair, n in times.items()
  }
  drawn = [(i, b, a) if turned[a, b].pop() else (i, a, b) for i, a, b in asked]
  order = rng.permutation(len(drawn))
  return [
    Question(f"q{number}", *drawn[k]) for number, k in enumerate(order, 1)
  ]


def identity(questions: Sequence[Question], manifest: Manifest) -> str:
  """Names the study: answers to two studies do not add up."""
  facts = [dataclasses.astuple(question) for question in questions]
  return digest(manifest.hash, json.dumps(facts))


def hide(question: str, name: str) -> str:
  """The name of a method as the page has it: not for people to read."""
  return base64.urlsafe_b64encode(f"{question}:{name}".encode()).decode()


def reveal(question: str, hidden: str) -> str:
  """The name again.

  Raises:
    ValueError: it was not hidden for this question.
  """
  text = base64.urlsafe_b64decode(hidden.encode()).decode()
  asked, colon, name = text.partition(":")
  if asked != question or not colon:
    raise ValueError(f"of another question than {question}")
  return name
