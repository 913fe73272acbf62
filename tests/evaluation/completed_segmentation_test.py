"""A segmenter that reads the filled pictures of a whole evaluation."""

import dataclasses

import numpy as np
import pytest

from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from tests.evaluation.mapped import (
  ALL_THREE,
  counted,
  ious,
  pictures,
  put_judge,
  run,
)
from tests.evaluation.toy import (
  MAP,
  SIZE,
  MapSystem,
  PlainSegmenter,
  labelled_split,
  load_toy,
)


class TestSegmenter:
  @pytest.fixture(name="judge", autouse=True)
  def _judge(self, monkeypatch):
    """A workdir "seg" whose segmenter parts the pictures at level 55."""
    judge = load_toy(PlainSegmenter(level=55))
    return put_judge(monkeypatch, dataclasses.replace(judge, hash="5" * 64))

  def _expected(self, evaluation, off):
    matrix = np.zeros((2, 2), int)
    for row, hole, labels in pictures(evaluation):
      predicted = int(20 + 10 * row.index + off > 55)
      for k in (0, 1):
        matrix[k, predicted] += (hole & (labels == k)).sum()
    return ious(matrix).mean()

  def test_sees_the_fill_of_every_method_and_the_truth(self):
    found = run(
      segmenter="seg", analyses=(), baselines=("mean_color",), batch_size=3
    )
    section = found.metrics["analyses"]["completed_segmentation"]
    scores = section["buckets"]["all"]
    assert list(scores) == ["truth", "own_map", "system", "mean_color"]
    for method, off in (("truth", 0), ("system", 8), ("mean_color", 0)):
      expected = self._expected(found, off)
      assert scores[method]["miou"] == pytest.approx(expected)
    own = ious(counted(found, MAP)).mean()
    assert scores["own_map"]["miou"] == pytest.approx(own)
    assert section["segmenter"]["hash"] == "5" * 64
    assert "segmenter_on_mean_color" in found.panels[0].details

  def test_sees_the_scale_of_its_training(self, judge):
    judge.config.data.image_size = 4 * SIZE
    sizes = []

    def predict(variables, frozen, batch):
      sizes.append(batch.image.shape[1:3])
      return PlainSegmenter(level=55).predict(variables, frozen, batch)

    object.__setattr__(judge.system, "predict", predict)
    found = run(segmenter="seg", analyses=(), batch_size=3)
    section = found.metrics["analyses"]["completed_segmentation"]
    assert set(sizes) == {(4 * SIZE, 4 * SIZE)}
    assert section["segmenter"]["image_size"] == str(4 * SIZE)
    # Pictures of one colour look the same at any scale.
    assert section["buckets"]["all"]["truth"]["miou"] == pytest.approx(
      self._expected(found, 0)
    )

  def test_other_classes_are_refused(self, judge):
    judge.config.data.classes = ({"name": "sky"}, {"name": "sea"})
    with pytest.raises(
      UserError, match="segmenter=seg: knows the classes sky, "
    ):
      run(segmenter="seg")

  def test_what_is_no_segmenter_is_refused(self, judge, monkeypatch):
    painter = dataclasses.replace(judge, system=MapSystem())
    put_judge(monkeypatch, painter)
    with pytest.raises(UserError, match="holds a plain; give a segmenter"):
      run(segmenter="seg")

  def test_who_guided_the_training_may_not_judge(self, tmp_path):
    (tmp_path / "frozen" / "reader").mkdir(parents=True)
    fields = {"segmenter": "seg", "analyses": ALL_THREE}
    loaded = load_toy(MapSystem(), **fields)
    loaded = dataclasses.replace(loaded, workdir=str(tmp_path))
    with pytest.raises(UserError, match="'reader' that guided the training"):
      evaluator.run(loaded, labelled_split(7), progress=False)

  def test_who_will_guide_the_training_may_not_judge(self):
    loaded = load_toy(MapSystem(), segmenter="seg")
    loaded.config.objective.update({"stage": 2, "reader": "seg"})
    with pytest.raises(UserError, match="'reader' that guided the training"):
      evaluator.run(loaded, labelled_split(7), progress=False)
