"""The report: complete, self-contained, and fair."""

import dataclasses
import html.parser

import numpy as np
import pytest

from sginpaint.evaluation import (
  evaluator,
  report_headline,
  report_methods,
  report_scores,
)
from sginpaint.evaluation.protocols import PROTOCOLS
from sginpaint.evaluation.report import write_report
from tests.evaluation.toy import (
  MapSystem,
  PlainSystem,
  labelled_split,
  load_toy,
  plain_split,
)

_VOID = {"meta", "img", "br", "input", "line", "rect"}


class Checker(html.parser.HTMLParser):
  """Keeps the open elements and what the page refers to."""

  def __init__(self):
    super().__init__()
    self.open, self.sources, self.classes = [], [], []

  def handle_starttag(self, tag, attrs):
    values = dict(attrs)
    self.sources += [values[k] for k in ("src", "href") if k in values]
    self.classes += (values.get("class") or "").split()
    if tag not in _VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    if tag not in _VOID:
      assert self.open.pop() == tag


@pytest.fixture(scope="module")
def evaluations():
  split = plain_split(7)
  fields = {"baselines": ("mean_color",), "panels": 2}
  systems = {"fresh <1>": PlainSystem(off=20), "asset": PlainSystem(off=8)}
  return [
    evaluator.run(load_toy(s, **fields), split, name=name, progress=False)
    for name, s in systems.items()
  ]


class TestWriteReport:
  def test_page_is_well_formed_and_loads_nothing(self, evaluations, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, evaluations=evaluations, title="A & B")
    text = path.read_text()
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert all(s.startswith("data:image/") for s in checker.sources)
    assert "http" not in text
    assert "A &amp; B" in text
    assert "fresh &lt;1&gt;" in text
    # Both checkpoints in each of the two strips drawn blindly, and once in
    # each strip of their own best and worst three.
    assert checker.classes.count("strip") == 2 + 2 * 6

  def test_other_pairs_are_refused(self, evaluations, tmp_path):
    other = evaluator.run(
      load_toy(PlainSystem(), seed=1), plain_split(7), progress=False
    )
    with pytest.raises(ValueError, match="same pairs"):
      write_report(tmp_path / "r.html", evaluations=[evaluations[0], other])
    assert not list(tmp_path.iterdir())


class TestIntervals:
  def test_stand_beside_the_means_of_buckets_and_of_class_groups(self):
    toy = load_toy(MapSystem(off=8), batch_size=7)
    evaluation = evaluator.run(toy, labelled_split(7), progress=False)
    mae = next(m for m in evaluation.protocol.measures if m.name == "mae")
    low, high = evaluation.metrics["intervals"]["system"]["all"]["mae"]
    expected = f"&plusmn;{(high - low) / 2:.4f}"
    for methods in (
      report_methods.methods_of([evaluation]),
      report_methods.methods_by_classes([evaluation]),
    ):
      assert expected in report_scores.score_table(methods, mae)
      assert 'class="whisker"' in report_scores.bar_chart(methods, mae)
    assert "1&ndash;2&nbsp;classes" in report_scores.score_table(methods, mae)


class TestScoreTable:
  def test_best_is_bold_in_the_right_direction(self, evaluations):
    methods = report_methods.methods_of(evaluations)[:2]
    for measure in PROTOCOLS["standard"].measures:
      fresh, asset = (m.buckets["all"][measure.name] for m in methods)
      assert (asset > fresh) == measure.higher_is_better
      table = report_scores.score_table(methods, measure)
      best = f"<td class=best>{asset:.{measure.digits}f}"
      assert table.count(best) >= 1
      assert f"<td class=best>{fresh:.{measure.digits}f}</td>" not in table

  def test_paired_gain_by_hand(self, evaluations):
    row = evaluations[0].rows[0]
    rows = [
      dataclasses.replace(
        row,
        scores={"system": {"hole_psnr": a}, "telea": {"hole_psnr": b}},
      )
      for a, b in [(22.0, 20.0), (21.0, 22.0), (25.0, 23.0), (np.nan, np.nan)]
    ]
    evaluation = dataclasses.replace(evaluations[0], rows=rows)
    gain, width, ahead = report_headline.paired_gain(
      evaluation, "telea", "hole_psnr"
    )
    assert (gain, ahead) == (pytest.approx(1.0), pytest.approx(2 / 3))
    # Student's t of two degrees of freedom times sqrt(3) / sqrt(3).
    assert width == pytest.approx(4.302653)


@pytest.fixture(name="both", scope="module")
def _both():
  """Of a system with maps, and of one without."""
  names = ("hole_segmentation", "calibration", "scales")
  fields = {"panels": 4, "outputs": ("segmentation",)}
  toys = {
    "with maps": load_toy(MapSystem(off=8), analyses=names, **fields),
    "plain": load_toy(PlainSystem(off=9), **fields),
  }
  return [
    evaluator.run(toy, labelled_split(7), name=name, progress=False)
    for name, toy in toys.items()
  ]


class TestMeaning:
  @pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
  def test_every_analysis_has_its_section(self, both, order, tmp_path):
    write_report(tmp_path / "report.html", evaluations=both[order])
    text = (tmp_path / "report.html").read_text()
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert all(s.startswith("data:image/") for s in checker.sources)
    for title in (
      "Labels of the hole", "Confidence and truth", "From coarse to fine",
      "Nearest known label", "Classes, by with maps", "hole mIoU",
    ):  # fmt: skip
      assert title in text
    assert text.count("<circle") == 7
    assert "Classes, by plain" not in text
    # One strip for each of the three samples, though one is the best as well.
    assert text.count("<b>Confidence</b>, scale 1") == 3

  def test_without_analyses_nothing_is_said_of_meaning(self, both, tmp_path):
    write_report(tmp_path / "report.html", evaluations=both[1:])
    text = (tmp_path / "report.html").read_text()
    assert "Labels of the hole" not in text
    assert "<circle" not in text

  def test_missing_labels_are_stated(self, tmp_path):
    split = dataclasses.replace(labelled_split(7), classes=())
    toy = load_toy(
      MapSystem(off=8),
      analyses=("hole_segmentation", "calibration", "scales"),
    )
    evaluation = evaluator.run(toy, split, progress=False)
    write_report(tmp_path / "report.html", evaluations=[evaluation])
    assert (tmp_path / "report.html").read_text().count("no labels") >= 3
