"""What systems may know of the hole: whose labels, and in which picture."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

from sginpaint.data.classes import ClassInfo
from sginpaint.errors import UserError
from sginpaint.evaluation import evaluator
from sginpaint.evaluation.guidance import other_pictures
from tests.evaluation.toy import (
  LabelledExamples,
  PlainSystem,
  UnlabelledExamples,
  labelled_split,
  load_toy,
)


@dataclasses.dataclass(frozen=True)
class _Told(PlainSystem):
  """Paints the class that it is told, as a grey level."""

  GUIDANCE: ClassVar[tuple[str, ...]] = ("segmentation",)

  def predict(self, variables, frozen, batch):
    told = batch.guidance.segmentation[..., None] / 127.5 - 1.0
    return {"image": jnp.broadcast_to(told, batch.image.shape)}


@dataclasses.dataclass(frozen=True)
class _SomeLabelled(LabelledExamples):
  """Pictures 1 and 4 have labels."""

  @property
  def labelled(self):
    return np.isin(np.arange(self.count), (1, 4))


@dataclasses.dataclass(frozen=True)
class _Lost(_Told):
  """Has no map of its own."""

  needs_map = True


def run(split, system=None, **fields):
  loaded = load_toy(system or _Told(), guidance="others", panels=7, **fields)
  return evaluator.run(loaded, split, progress=False)


class TestOtherPictures:
  @pytest.mark.parametrize("count", [2, 3, 7, 50])
  def test_is_one_circle_through_all(self, count):
    others = other_pictures(labelled_split(count), 5)
    seen = [0]
    while others[seen[-1]] != 0:
      seen.append(others[seen[-1]])
    assert sorted(seen) == list(range(count))

  def test_is_seeded(self):
    split = labelled_split(50)
    assert other_pictures(split, 1) == other_pictures(split, 1)
    assert other_pictures(split, 1) != other_pictures(split, 2)

  def test_only_pictures_with_labels_guide(self):
    split = dataclasses.replace(labelled_split(9), examples=_SomeLabelled(9))
    others = other_pictures(split, 0)
    assert sorted(others) == list(range(9))
    assert set(others.values()) == {1, 4}
    assert (others[1], others[4]) == (4, 1)


class TestOthers:
  @pytest.mark.parametrize("fields", [{"batch_size": 3}, {"count": 4}])
  def test_hole_shows_the_labels_of_the_other_picture(self, fields):
    found = run(labelled_split(7), **fields)
    others = other_pictures(labelled_split(7), found.config["eval"]["seed"])
    assert found.panels
    for panel in found.panels:
      hole = panel.mask[..., 0] > 0.5
      labels = LabelledExamples(7)[others[panel.row.index]]["segmentation"]
      shown = panel.fills["system"][..., 0][hole]
      np.testing.assert_array_equal(shown, labels[hole])

  def test_guiding_map_is_shown(self):
    found = run(labelled_split(7))
    panel = found.panels[0]
    others = other_pictures(labelled_split(7), 0)
    labels = LabelledExamples(7)[others[panel.row.index]]["segmentation"]
    colours = [np.array(c["colour"]) for c in found.config["data"]["classes"]]
    shown = panel.extras["guiding_map"]
    for k in (0, 1):
      assert (shown[labels == k] == colours[k]).all()

  def test_system_that_takes_no_map_is_not_told(self):
    found = run(labelled_split(7), PlainSystem())
    assert found.metrics["guidance"] == "others"
    assert "guiding_map" not in found.panels[0].extras

  @pytest.mark.parametrize(
    ("change", "message"),
    [
      ({"examples": UnlabelledExamples(7)}, "split test has no labels"),
      ({"examples": LabelledExamples(1)}, "labels of one picture only"),
      ({"classes": (ClassInfo("tree", (0, 1, 0)),) * 2}, "are not those of"),
    ],
  )
  def test_labels_that_cannot_guide_are_refused(self, change, message):
    split = dataclasses.replace(labelled_split(7), **change)
    with pytest.raises(UserError, match=f"guidance=others: .*{message}"):
      run(split)


@dataclasses.dataclass(frozen=True)
class _ToldAttributes(PlainSystem):
  GUIDANCE: ClassVar[tuple[str, ...]] = ("attributes",)


def test_attributes_that_are_not_there_cannot_guide():
  loaded = load_toy(_ToldAttributes(), guidance="truth")
  split = labelled_split(2)
  evaluator.run(loaded, split, progress=False)
  with pytest.raises(UserError, match="split test has no attributes"):
    bare = dataclasses.replace(split, attributes=())
    evaluator.run(loaded, bare, progress=False)


def test_map_that_nobody_predicts_is_asked_for():
  loaded = load_toy(_Lost(), guidance="predicted")
  with pytest.raises(UserError, match="predicts no map; use truth, others"):
    evaluator.run(loaded, labelled_split(7), progress=False)
  run(labelled_split(7), _Lost())
