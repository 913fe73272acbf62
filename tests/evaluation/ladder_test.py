"""The ladder's table against numbers worked out by hand."""

import math

import pytest

from sginpaint.evaluation.ladder import Entry, Score, build_table, true_map
from sginpaint.evaluation.ladder_markdown import to_markdown


def score(measures, *, parameters=1200, pictures=None, **facts):
  """A score with one baseline; `facts` change its metrics.json."""
  metrics = {
    "protocol": "standard",
    "step": 2000,
    "count": 2,
    "masks": "center",
    "guidance": "predicted",
    "metrics": {"all": {"count": 2, **measures}, "20-40": {"psnr": 99.0}},
    "baselines": {"telea": {"all": {"count": 2, "hole_psnr": 14.0}}},
    "provenance": {"data": "toy", "split": "test", "manifest_hash": "ab" * 32},
  }
  return Score(metrics | facts, parameters, pictures or {})


def entry(name, values, above=None, **options):
  """Scores of `hole_psnr` under seeds 0, 1, ..."""
  scores = [score({"hole_psnr": value}, **options) for value in values]
  return Entry(name, above, dict(enumerate(scores)))


def rows_of(*entries):
  return {row.name: row for row in build_table(entries).rows}


class TestArithmetic:
  def test_mean_and_sample_deviation_over_seeds(self):
    row = rows_of(entry("a", [20.0, 22.0, 27.0]))["a"]
    spread = row.scores["hole_psnr"]
    assert spread.mean == pytest.approx(23)
    # (9 + 1 + 16) / (3 - 1) = 13
    assert spread.deviation == pytest.approx(math.sqrt(13))
    assert spread.values == {0: 20.0, 1: 22.0, 2: 27.0}
    assert (row.seeds, row.steps, row.parameters) == ((0, 1, 2), 2000, 1200)

  def test_one_seed_has_no_spread(self):
    rows = rows_of(entry("a", [20.0]), entry("b", [21.5], above="a"))
    assert rows["a"].scores["hole_psnr"].deviation is None
    assert rows["b"].difference.mean == 1.5
    assert rows["b"].difference.deviation is None

  def test_difference_is_of_the_same_seed(self):
    rows = rows_of(
      entry("a", [20.0, 24.0]), entry("b", [21.0, 25.5, 90.0], above="a")
    )
    # Of seed 2 there is no row above; 1 and 1.5 differ by 0.5.
    assert rows["b"].difference.mean == pytest.approx(1.25)
    assert rows["b"].difference.deviation == pytest.approx(0.5 / math.sqrt(2))
    assert rows["b"].difference.values == {0: 1.0, 1: 1.5}
    assert rows["a"].difference is None

  def test_error_over_pictures_is_of_means_over_seeds(self):
    low = {0: score({"hole_psnr": 0.0}, pictures={"0": 10.0, "1": 20.0})}
    low[1] = score({"hole_psnr": 0.0}, pictures={"0": 12.0, "1": 20.0})
    high = {0: score({"hole_psnr": 0.0}, pictures={"0": 13.0, "1": 20.0})}
    high[1] = score({"hole_psnr": 0.0}, pictures={"0": 13.0, "1": 22.0})
    row = rows_of(Entry("a", None, low), Entry("b", "a", high))["b"]
    # Picture 0 gains (3 + 1) / 2 = 2, picture 1 (0 + 2) / 2 = 1; their
    # deviation is sqrt(1 / 2), over the root of two pictures.
    assert row.picture_error == pytest.approx(0.5)

  def test_without_scores_of_pictures_there_is_no_error(self):
    rows = rows_of(entry("a", [1.0]), entry("b", [2.0], above="a"))
    assert rows["b"].picture_error is None

  def test_other_rows_between_do_not_matter(self):
    rows = rows_of(
      entry("a", [20.0]),
      entry("a (true map)", [30.0], above="a"),
      entry("b", [21.0], above="a"),
    )
    assert rows["a (true map)"].difference.mean == 10
    assert rows["b"].difference.mean == 1


class TestColumns:
  def test_follow_the_first_row_that_has_them(self):
    table = build_table(
      [
        Entry("a", None, {0: score({"psnr": 1.0, "hole_psnr": 1.0})}),
        Entry("b", "a", {0: score({"hole_psnr": 3.0, "hole_miou": 0.5})}),
      ]
    )
    assert table.measures == ("psnr", "hole_psnr", "hole_miou")
    a, b, telea = table.rows
    assert "hole_miou" not in a.scores
    assert b.scores["hole_miou"].mean == 0.5
    assert telea.scores.keys() == {"hole_psnr"}

  def test_only_numbers_are_measures(self):
    measures = {"hole_psnr": 1.0, "per_class": [1, 2], "odd": None}
    assert build_table([Entry("a", None, {0: score(measures)})]).measures == (
      "hole_psnr",
    )

  def test_without_hole_psnr_the_first_measure_is_compared(self):
    rows = [
      Entry("a", None, {0: score({"miou": 0.5, "accuracy": 0.1})}),
      Entry("b", "a", {0: score({"miou": 0.75, "accuracy": 0.1})}),
    ]
    table = build_table(rows)
    assert table.compared == "miou"
    assert table.rows[1].difference.mean == 0.25

  def test_baselines_are_last_and_have_no_network(self):
    telea = build_table([entry("a", [20.0, 22.0])]).rows[-1]
    assert (telea.name, telea.parameters, telea.steps) == ("telea", None, None)
    assert telea.scores["hole_psnr"].mean == 14
    assert telea.seeds == ()


@pytest.mark.parametrize(
  "name, value",
  [
    ("count", 3),
    ("protocol", "spl"),
    ("masks", "irregular"),
    (
      "provenance",
      {"data": "toy", "split": "test", "manifest_hash": "cd" * 32},
    ),
  ],
)
def test_rows_of_other_pictures_or_holes_are_refused(name, value):
  named = "manifest_hash" if name == "provenance" else name
  other = entry("b", [1.0], **{name: value})
  with pytest.raises(ValueError, match=f"rows differ in {named}"):
    build_table([entry("a", [1.0]), other])


def cells(line):
  return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def text():
  a = [
    score({"psnr": 30.126, "hole_psnr": value}, parameters=1234567)
    for value in (20.0, 22.0)
  ]
  b = [
    score({"psnr": 30.5, "hole_psnr": value, "hole_miou": 0.31234})
    for value in (20.5, 22.5)
  ]
  table = build_table(
    [
      Entry("basic", None, dict(enumerate(a))),
      Entry("guided", "basic", dict(enumerate(b))),
    ]
  )
  return to_markdown([table])


class TestMarkdown:
  def test_rows(self, text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, rule, basic, guided, telea = map(cells, lines)
    assert head == [
      *("row", "parameters", "steps", "seeds", "psnr", "hole_psnr"),
      *("hole_miou", "vs row above", "± pictures"),
    ]
    assert set("".join(rule)) == {"-", ":"}
    assert basic == [
      *("basic", "1,234,567", "2,000", "2", "30.13 ± 0.00", "21.00 ± 1.41"),
      *("-", "-", "-"),
    ]
    assert guided[6:] == ["0.3123 ± 0.0000", "+0.500 ± 0.000", "-"]
    assert telea == ["telea", "-", "-", "-", "-", "14.00", "-", "-", "-"]
    assert len({len(line) for line in lines}) == 1  # reads well as text too

  def test_says_what_was_measured(self, text):
    assert "## Holes: center" in text
    assert "(true map)" not in text
    assert (
      "Protocol standard, 2 pictures of toy, split test, masks center, "
      "guidance predicted, "
      "manifest abababababababab." in text
    )

  def test_falling_behind_has_a_sign(self):
    rows = [entry("a", [2.0]), entry("b", [1.0], above="a")]
    assert "-1.000" in to_markdown([build_table(rows)])

  def test_legend_tells_of_the_true_map_where_there_is_one(self):
    rows = [entry("a", [2.0]), entry(true_map("a"), [1.0], above="a")]
    text = to_markdown([build_table(rows)])
    assert "| a (true map) |" in text
    assert "`(true map)` marks" in text

  def test_systems_without_holes(self):
    alone = Score(
      score({"map": 0.5}, masks="none", protocol="classification").metrics
      | {"provenance": {"data": "toy", "split": "test"}},
      10,
      {},
    )
    text = to_markdown([build_table([Entry("a", None, {0: alone})])])
    assert "## Without holes" in text
    assert "manifest" not in text
