"""Random edits in whole evaluations of systems that obey by halves."""

import csv
import dataclasses
import io
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation.edits import Editor
from sginpaint.evaluation.report import write_report
from sginpaint.evaluation.results import to_csv
from tests.evaluation import mapped
from tests.evaluation.toy import (
  SIZE,
  PlainSegmenter,
  PlainSystem,
  UnlabelledExamples,
  labelled_split,
  load_toy,
  plain_split,
)

DARK, BRIGHT = 10, 240


@dataclasses.dataclass(frozen=True)
class _Obeys(PlainSystem):
  """Dark for class 0, bright for class 1, and both in even columns only."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)

  def predict(self, variables, frozen, batch):
    outputs = super().predict(variables, frozen, batch)
    guidance = batch.guidance
    if guidance is not None and guidance.segmentation is not None:
      told = guidance.segmentation[..., None]
      level = jnp.where(told == 1, BRIGHT, DARK) / 127.5 - 1.0
      heard = (told != 255) & (jnp.arange(SIZE)[:, None] % 2 == 0)
      outputs["image"] = jnp.where(heard, level, outputs["image"])
    return outputs


@pytest.fixture(name="judge", autouse=True)
def _judge(monkeypatch):
  """Parts the pictures, whose levels are 20 to 80, at level 55."""
  return mapped.put_judge(monkeypatch, load_toy(PlainSegmenter(level=55)))


def run(system=None, split=None, **fields):
  fields = {"analyses": ("controllability",), "outputs": (), **fields}
  system, split = system or _Obeys(), split or labelled_split(7)
  return mapped.run(system, split, segmenter="seg", **fields)


def expected(evaluation, *, edits=1, obeys=True, split=None):
  """[(class, share, share without the edit)] of all edits, pixel by pixel."""
  split = split or labelled_split(7)
  editor, found = Editor(split, seed=0, edits=edits), []
  for row in evaluation.rows:
    index, labels = row.index, split[row.index]["segmentation"]
    drawn = editor.draw(
      [index], evaluation.manifest.draw([index]), labels[None]
    )
    for e in range(edits):
      k, region = int(drawn.classes[0, e]), drawn.regions[0, e]
      before = int(20 + 10 * index > 55)
      after = [
        k if obeys and x % 2 == 0 else before for _, x in np.argwhere(region)
      ]
      if after:
        found.append((k, np.mean(np.equal(after, k)), float(before == k)))
  return found


class TestScores:
  @pytest.mark.parametrize("edits", [1, 3])
  def test_are_those_of_a_loop(self, edits):
    found = run(edits=edits, batch_size=3)
    section = found.metrics["analyses"]["controllability"]
    classes, told, untold = np.array(expected(found, edits=edits)).T
    assert section["edits"] == len(told) > 5 * edits
    assert section["edited_class_share"] == pytest.approx(told.mean())
    assert section["unguided_share"] == pytest.approx(untold.mean())
    assert section["majority"] == pytest.approx((told > 0.5).mean())
    assert section["unguided_majority"] == pytest.approx((untold > 0.5).mean())
    assert told.mean() > untold.mean()
    for k, name in enumerate(("sky", "ground")):
      of_class = section["by_class"][name]
      assert of_class["edits"] == (classes == k).sum()
      mean = told[classes == k].mean()
      assert of_class["edited_class_share"] == pytest.approx(mean)

  def test_stand_in_the_tables_and_beside_the_pictures(self):
    found = run()
    section = found.metrics["analyses"]["controllability"]
    every = found.metrics["metrics"]["all"]
    for name in ("edited_class_share", "unguided_share"):
      assert every[name] == section[name]
      assert name in {m.name for m in found.protocol.measures}
    lines = csv.DictReader(io.StringIO(to_csv(found.rows, found.protocol)))
    cells = [line["edited_class_share"] for line in lines]
    # A region in which nothing is labelled is no edit.
    shares = [float(cell) for cell in cells if cell]
    told = [share for _, share, _ in expected(found)]
    assert shares == pytest.approx(told, abs=1e-6)

  def test_of_a_system_that_takes_no_map(self):
    found = run(PlainSystem())
    section = found.metrics["analyses"]["controllability"]
    untold = [share for _, _, share in expected(found, obeys=False)]
    assert section["unguided_share"] == pytest.approx(np.mean(untold))
    assert "edited_class_share" not in section
    assert "edited_class_share" not in found.metrics["metrics"]["all"]

  def test_true_map_is_edited_where_it_guides(self):
    found = run(guidance="truth", split=plain_split(7))
    section = found.metrics["analyses"]["controllability"]
    plain = run(split=plain_split(7)).metrics["analyses"]["controllability"]
    # Told the true class, which is another one, half the columns lose it.
    assert section["edited_class_share"] == plain["edited_class_share"]
    assert section["unguided_share"] < plain["unguided_share"]

  def test_pictures_without_labels_are_stated(self):
    split = dataclasses.replace(
      labelled_split(7), examples=UnlabelledExamples(7)
    )
    metrics = run(split=split).metrics
    section = metrics["analyses"]["controllability"]
    assert section["statement"] == "no labels"
    assert "edited_class_share" not in metrics["metrics"]["all"]

  def test_one_class_leaves_nothing_to_ask_for(self):
    section = run(split=plain_split(1)).metrics["analyses"]["controllability"]
    assert section["statement"].startswith("no edits")


class TestReport:
  def test_shows_scores_by_class_and_examples(self, tmp_path):
    found = [run(panels=4), run(PlainSystem(), panels=4)]
    write_report(tmp_path / "report.html", evaluations=found)
    text = (tmp_path / "report.html").read_text()
    share = found[0].metrics["analyses"]["controllability"]["unguided_share"]
    assert text.count(f"<td>{100 * share:.1f}</td>") >= 2
    # Three examples of each, of which one system was asked to do otherwise.
    assert text.count("Map that is asked for") == 6
    assert text.count("Fill without the edit") == 6
    assert text.count("<b>Fill</b>") == 3

  def test_region_is_outlined(self):
    panel = next(p for p in run().panels if p.role == "sample")
    mask, split = panel.mask[None], labelled_split(7)
    index = panel.row.index
    labels = split[index]["segmentation"][None]
    drawn = Editor(split, seed=0, edits=1).draw([index], mask, labels)
    white = (panel.details["edit_told"] == 255).all(-1)
    region = drawn.regions[0, 0]
    for y, x in np.argwhere(region):
      around = region[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
      assert white[y, x] == (not around.all())
    assert not (white & ~region).any()


class TestMistakes:
  @pytest.mark.parametrize(
    ("fields", "message"),
    [
      ({"segmenter": "none"}, "controllability needs a segmenter"),
      ({"edits": 0, "segmenter": "seg"}, "config.eval.edits=0"),
    ],
  )
  def test_are_told(self, fields, message):
    with pytest.raises(UserError, match=message):
      mapped.run(analyses=("controllability",), **fields)
