"""Random edits: where they lie and what they ask for."""

import dataclasses
import math

import numpy as np
import pytest

from sginpaint.evaluation.edits import (
  Editor,
  Edits,
  draw_region,
  shares,
  shown_classes,
)
from tests.evaluation.toy import PlainExamples, labelled_split, plain_split

SIZE = 32


def square(low=8, high=24):
  hole = np.zeros((SIZE, SIZE), bool)
  hole[low:high, low:high] = True
  return hole


class TestDrawRegion:
  @pytest.mark.parametrize("seed", range(8))
  def test_is_a_rectangle_of_a_quarter_to_a_half_of_a_square_hole(self, seed):
    region = draw_region(np.random.default_rng(seed), square())
    rows, columns = region.any(1), region.any(0)
    assert region.sum() == rows.sum() * columns.sum()
    assert 4 <= rows.sum() <= 8
    assert 4 <= columns.sum() <= 8
    assert not (region & ~square()).any()

  def test_lies_anywhere_in_the_hole(self):
    found = sum(
      draw_region(np.random.default_rng(seed), square()) for seed in range(300)
    )
    assert ((found > 0) == square()).all()

  @pytest.mark.parametrize("seed", range(8))
  def test_of_scattered_holes_is_what_a_rectangle_covers(self, seed):
    rng = np.random.default_rng(seed)
    hole = rng.random((SIZE, SIZE)) < 0.2
    region = draw_region(rng, hole)
    y, x = np.nonzero(region)
    assert len(y)
    covered = np.zeros_like(hole)
    covered[y.min() : y.max() + 1, x.min() : x.max() + 1] = True
    np.testing.assert_array_equal(region, hole & covered)
    assert max(np.ptp(y), np.ptp(x)) < math.sqrt(hole.sum()) / 2 + 1

  def test_hole_of_a_line_and_no_hole(self):
    line = np.zeros((SIZE, SIZE), bool)
    line[3, 4:20] = True
    region = draw_region(np.random.default_rng(0), line)
    assert region.any()
    assert not (region & ~line).any()
    nothing = draw_region(np.random.default_rng(0), np.zeros_like(line))
    assert not nothing.any()


def drawn(index=(0, 1, 2, 3), *, seed=0, edits=2, base=None, count=9):
  """Edits of pictures whose labels are those of `labelled_split`."""
  split = labelled_split(count)
  labels = np.stack([split[i]["segmentation"] for i in index])
  mask = np.zeros((len(index), *labels.shape[1:], 1), np.float32)
  mask[:, 4:12, 4:12] = 1
  edits = Editor(split, seed=seed, edits=edits).draw(
    np.array(index), mask, labels, base
  )
  return edits, labels


class TestEditor:
  def test_class_is_not_the_most_frequent_one(self):
    edits, labels = drawn()
    for b, e in np.ndindex(edits.classes.shape):
      inside = labels[b][edits.regions[b, e]].tolist()
      assert len(inside) >= 4
      true = max((0, 1), key=inside.count)
      assert edits.classes[b, e] == 1 - true

  def test_depends_on_the_picture_and_the_seed_only(self):
    together, _ = drawn()
    for b in range(4):
      alone, _ = drawn((b,))
      np.testing.assert_array_equal(alone.regions[0], together.regions[b])
      np.testing.assert_array_equal(alone.classes[0], together.classes[b])
    more, _ = drawn(edits=3)
    np.testing.assert_array_equal(more.regions[:, :2], together.regions)
    other, _ = drawn(seed=1)
    assert (other.regions != together.regions).any()
    assert (together.regions[:, 0] != together.regions[:, 1]).any()

  def test_map_says_the_class_in_the_region_only(self):
    base = np.full((4, 16, 16), 1, np.int32)
    for said, given in ((255, None), (1, base)):
      edits, _ = drawn(base=given)
      for b, e in np.ndindex(edits.classes.shape):
        region = edits.regions[b, e]
        assert (edits.told[b, e][region] == edits.classes[b, e]).all()
        assert (edits.told[b, e][~region] == said).all()

  def test_without_labels_or_another_class_there_is_no_edit(self):
    split = plain_split(3)
    mask = np.ones((2, 16, 16, 1), np.float32)
    unknown = np.full((2, 16, 16), 255, np.int32)
    edits = Editor(split, seed=0, edits=1).draw(np.arange(2), mask, unknown)
    one_class = Editor(plain_split(1), seed=0, edits=1)
    assert one_class.classes == [0]
    zeros = np.zeros_like(unknown)
    for found in (edits, one_class.draw(np.arange(2), mask, zeros)):
      assert not found.regions.any()
      assert (found.classes == 255).all()
      assert (found.told == 255).all()


class _Third(PlainExamples):
  """Class 2 nowhere, class 255 in the corner."""

  def __getitem__(self, index):
    example = super().__getitem__(index)
    example["segmentation"][0, 0] = 255
    return example


def test_classes_are_those_that_pictures_show():
  split = dataclasses.replace(plain_split(4), examples=_Third(4))
  three = (*split.classes, split.classes[0])
  assert shown_classes(dataclasses.replace(split, classes=three), 0) == [0, 1]


def test_shares_by_hand():
  regions = np.zeros((2, 2, 3, 3), bool)
  regions[0, 0, :2, :2] = True
  regions[0, 1, 0, :] = True
  classes = np.array([[1, 0], [255, 255]], np.int32)
  readings = np.zeros((2, 1, 3, 3), int)
  readings[0, 0] = [[1, 0, 1], [1, 1, 1], [1, 1, 1]]
  edits = Edits(regions=regions, classes=classes, told=regions)
  found = np.asarray(shares(edits, readings))
  np.testing.assert_allclose(found, [[3 / 4, 1 / 3], [0, 0]])
