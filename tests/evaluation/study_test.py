"""A study: fair questions, hidden names, and a count that is known by hand."""

import base64
import collections
import csv
import json
import re

import cv2
import numpy as np
import pytest
from scipy import stats

from sginpaint.errors import UserError
from sginpaint.evaluation import study_report
from sginpaint.evaluation.intervals import share_interval
from sginpaint.evaluation.manifest import build_manifest
from sginpaint.evaluation.results import Panel, Row
from sginpaint.evaluation.study import (
  hide,
  identity,
  make_questions,
  reveal,
)
from sginpaint.evaluation.study_page import write_study
from sginpaint.evaluation.study_tally import read_answers, tally

NAMES = ("ours", "theirs", "telea")


@pytest.fixture(name="manifest", scope="module")
def _manifest():
  ids = [f"p{i}" for i in range(10)]
  return build_manifest(ids, masks="center", seed=3, image_size=16)


class TestQuestions:
  def test_every_pair_on_the_same_pictures_sides_balanced(self, manifest):
    questions = make_questions(NAMES, manifest, count=30, seed=0)
    by_pair = collections.defaultdict(list)
    for q in questions:
      by_pair[frozenset((q.left, q.right))].append(q)
    assert len(by_pair) == 3
    for asked in by_pair.values():
      assert sorted(q.index for q in asked) == list(range(10))
      lefts = collections.Counter(q.left for q in asked)
      assert set(lefts.values()) == {5}
    assert len({q.id for q in questions}) == 30

  def test_sides_are_balanced_with_few_of_many_pictures(self, manifest):
    for seed in range(5):
      questions = make_questions(NAMES, manifest, count=12, seed=seed)
      asked = collections.Counter((q.left, q.right) for q in questions)
      assert set(asked.values()) == {2}

  def test_seeded_and_capped(self, manifest):
    first = make_questions(NAMES, manifest, count=99, seed=0)
    assert first == make_questions(NAMES, manifest, count=99, seed=0)
    other = make_questions(NAMES, manifest, count=99, seed=1)
    assert len(first) == len(other) == 30
    assert first != other
    assert identity(first, manifest) != identity(other, manifest)

  def test_few_questions_are_of_the_first_pictures(self, manifest):
    first = min(manifest.pairs, key=lambda pair: pair.place).index
    questions = make_questions(NAMES, manifest, count=3, seed=0)
    assert {q.index for q in questions} == {first}


def _panel(index, level):
  row = Row(index, f"</script>{index}", "center", 0.25, {}, classes=3)
  truth = np.full((16, 16, 3), 100, np.uint8)
  mask = np.zeros((16, 16, 1))
  mask[4:12, 4:12] = 1
  return Panel(row, truth, mask, {"system": truth + np.uint8(level)}, {})


def _pixel(uri):
  """Grey level in the middle of a picture."""
  data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
  return int(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)[8, 8])


def test_page_hides_the_names(manifest, tmp_path):
  questions = make_questions(NAMES, manifest, count=6, seed=0)
  panels = {
    name: {i: _panel(i, level) for i in range(10)}
    for level, name in enumerate(NAMES)
  }
  write_study(tmp_path / "s.html", questions, panels, identity="abc")
  text = (tmp_path / "s.html").read_text()
  assert not any(name in text for name in NAMES)
  assert "http" not in text
  data = re.search(r'id="study">(.*?)</script>', text).group(1)
  study = json.loads(data)
  assert study["study"] == "abc"
  for item, question in zip(study["questions"], questions, strict=True):
    assert reveal(question.id, item["left"]) == question.left
    assert item["image"] == f"</script>{question.index}"
    shown = [_pixel(uri) for uri in item["pictures"]]
    levels = [100 + NAMES.index(q) for q in (question.left, question.right)]
    assert [shown[0], shown[2]] == levels
    assert shown[1] > 200  # the hole, light, stands between them
  with pytest.raises(ValueError, match="another question"):
    reveal("q0", study["questions"][0]["left"])


def _answers(*told, ratios=None, classes=3):
  """Of (left, right, choice)."""
  found = []
  for number, (left, right, choice) in enumerate(told):
    question = f"q{number}"
    found.append(
      {
        "question": question,
        "image": "p",
        "ratio": ratios[number] if ratios else 0.25,
        "classes": classes,
        "left": hide(question, left),
        "right": hide(question, right),
        "choice": choice,
        "seconds": 1.5,
      }
    )
  return found


def _save(path, rater, answers, study="abc"):
  whole = {"study": study, "rater": rater, "answers": answers}
  path.write_text(json.dumps(whole))
  return path


class TestTally:
  def test_known_matrix(self, tmp_path):
    first = _answers(
      ("a", "b", "left"), ("b", "a", "right"), ("a", "b", "right"),
      ("b", "a", "same"), ("c", "a", "left"),
      ratios=[0.25, 0.25, 0.45, 0.45, 0.25],
    )  # fmt: skip
    second = _answers(("a", "b", "left"), classes="")
    found = tally(
      read_answers(
        [
          _save(tmp_path / "x.json", "x", first),
          _save(tmp_path / "y.json", "y", second),
        ]
      )
    )
    assert (found.raters, found.answers) == (2, 6)
    assert found.left == pytest.approx(3 / 5)
    a_to_b = found.strata["all"]["a", "b"]
    assert (a_to_b.wins, a_to_b.losses, a_to_b.same) == (3, 1, 1)
    assert a_to_b.share == 0.75
    assert a_to_b.interval == share_interval(3, 4)
    assert found.strata["all"]["a", "c"].share == 0.0
    assert ("b", "c") not in found.strata["all"]
    late = found.strata["40-50 %"]["a", "b"]
    assert (late.wins, late.losses, late.same) == (0, 1, 1)
    few = found.strata["3-4 classes"]["a", "b"]
    assert (few.wins, few.losses) == (2, 1)
    assert found.strata.keys() == {
      "all", "20-30 %", "40-50 %", "20-40 %", "40-60 %", "3-4 classes",
    }  # fmt: skip
    study_report.save(found, tmp_path / "out")
    page = (tmp_path / "out" / "preferences.html").read_text()
    assert "75%" in page
    assert "25%" in page
    kept = json.loads((tmp_path / "out" / "preferences.json").read_text())
    assert kept["strata"]["all"][0]["wins"] == 3
    assert "a preferred to b: 75% [" in study_report.to_text(found)

  def test_csv_says_the_same(self, tmp_path):
    answers = _answers(("a", "b", "left"), ("b", "a", "same"), classes="")
    whole = _save(tmp_path / "x.json", "x", answers)
    with (tmp_path / "x.csv").open("w", newline="") as file:
      fields = ["study", "rater", *answers[0]]
      writer = csv.DictWriter(file, fields, quoting=csv.QUOTE_ALL)
      writer.writeheader()
      writer.writerows({"study": "abc", "rater": "x"} | a for a in answers)
    assert read_answers([tmp_path / "x.csv"]) == read_answers([whole])

  def test_csv_of_a_spreadsheet_is_read(self, tmp_path):
    answers = _answers(("a", "b", "left"))
    file = tmp_path / "x.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as out:
      writer = csv.DictWriter(out, ["study", "rater", *answers[0]])
      writer.writeheader()
      writer.writerows({"study": "abc", "rater": 7} | a for a in answers)
    (read,) = read_answers([file])
    assert (read.study, read.rater, read.left) == ("abc", "7", "a")

  def test_rater_of_another_type_is_a_rater(self, tmp_path):
    file = _save(tmp_path / "x.json", ["x"], _answers(("a", "b", "left")))
    assert tally(read_answers([file])).raters == 1

  def test_what_does_not_add_up_is_refused(self, tmp_path):
    one = _save(tmp_path / "1.json", "x", _answers(("a", "b", "left")))
    other = _save(tmp_path / "2.json", "y", _answers(("a", "b", "left")), "d")
    with pytest.raises(UserError, match=r"2\.json: answers to another study"):
      read_answers([one, other])
    with pytest.raises(UserError, match="x answers q0"):
      read_answers([one, one])
    odd = _save(tmp_path / "3.json", "z", _answers(("a", "b", "up")))
    with pytest.raises(UserError, match="'up' is no choice"):
      read_answers([odd])
    with pytest.raises(UserError, match="cannot be read"):
      read_answers([tmp_path / "none.json"])
    empty = _save(tmp_path / "4.json", "z", [])
    with pytest.raises(UserError, match="no answers"):
      read_answers([empty])


def test_share_interval_stays_a_share():
  for n in range(1, 60):
    assert 0 <= share_interval(0, n)[0] < 1e-9
    assert share_interval(n, n)[1] <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 4), (37, 50)])
def test_share_interval_is_scipys(hits, n):
  expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
  assert share_interval(hits, n) == pytest.approx(tuple(expected), abs=1e-9)
