"""Variants of classes.csv, and what goes wrong in it."""

import numpy as np
import pytest

from sginpaint.data.classes import (
  UNLISTED,
  ClassInfo,
  attribute_permutation,
  class_indices,
  mirror_table,
  read_classes,
  table_from_values,
  unlisted_value,
)
from sginpaint.errors import UserError


def read(tmp_path, text):
  path = tmp_path / "classes.csv"
  path.write_text(text)
  return read_classes(path)


class TestLookup:
  lookup = np.where(np.arange(256) < 3, [2, 255, 0] * 85 + [2], UNLISTED)

  def test_values_become_indices(self):
    labels = np.array([[0, 1], [2, 0]], np.uint8)
    found = class_indices(labels, self.lookup)
    assert found.tolist() == [[2, 255], [0, 2]]
    assert found.dtype == np.uint8

  def test_indices_stay_what_they_are(self):
    lookup = np.where(np.arange(256) < 3, np.arange(256), UNLISTED)
    labels = np.array([[0, 1], [2, 0]], np.uint8)
    np.testing.assert_array_equal(class_indices(labels, lookup), labels)

  def test_a_value_that_is_not_listed_is_found(self):
    labels = np.array([[0, 1], [7, 2]], np.uint8)
    assert unlisted_value(labels, self.lookup) == 7
    assert unlisted_value(labels[:1], self.lookup) is None


class TestReadClasses:
  def test_values_become_indices(self, tmp_path):
    table = read(
      tmp_path,
      "value,name,r,g,b\n7,sky,1,2,3\n11,Unlabelled,0,0,0\n3,tree,4,5,6\n",
    )
    assert table.classes == (
      ClassInfo("sky", (1, 2, 3)),
      ClassInfo("tree", (4, 5, 6)),
    )
    expected = np.full(256, UNLISTED)
    expected[[7, 3, 11, 255]] = 0, 1, 255, 255
    np.testing.assert_array_equal(table.lookup, expected)

  @pytest.mark.parametrize(
    ("row", "ignored"),
    [
      ("255,rest,", True),
      ("4,VOID,", True),
      ("4,unlabeled,", True),
      ("4,sand,yes", True),
      ("4,unknown,0", False),
      ("4,sand,", False),
    ],
  )
  def test_ignore(self, tmp_path, row, ignored):
    table = read(tmp_path, f"value,name,ignore\n0,sky,\n{row}\n")
    assert [info.ignore for info in table.rows] == [False, ignored]

  def test_colour_column(self, tmp_path):
    table = read(tmp_path, "\ufeffValue, Name,colour\n0, sky ,#0a1BFf\n")
    assert table.rows == (ClassInfo("sky", (10, 27, 255)),)

  def test_default_colours_differ(self, tmp_path):
    rows = "".join(f"{i},c{i}\n" for i in range(40))
    table = read(tmp_path, "value,name\n" + rows)
    assert len({info.colour for info in table.rows}) == 40

  def test_one_row_names_the_mirror(self, tmp_path):
    table = read(
      tmp_path, "value,name,mirror\n0,sky,\n1,left,right\n2,right,\n"
    )
    assert mirror_table(table.classes)[[0, 1, 2, 255]].tolist() == [
      0,
      2,
      1,
      255,
    ]

  @pytest.mark.parametrize(
    ("text", "message"),
    [
      ("value,title\n0,sky\n", "no column name"),
      ("value,name\n256,sky\n", "line 2: value '256'"),
      ("value,name\n0,sky\n0,tree\n", "value 0 stands there twice"),
      ("value,name\n0,sky\n1,sky\n", "name 'sky' stands there twice"),
      ("value,name\n0,\n", "line 2: the name is empty"),
      ("value,name,r,g,b\n0,sky,0,0,256\n", "line 2: colour"),
      ("value,name,colour\n0,sky,red\n", "line 2: colour red"),
      ("value,name,ignore\n0,sky,maybe\n", "ignore is 'maybe'"),
      ("value,name,mirror\n0,a,b\n", "mirror 'b' of 'a' is no class"),
      ("value,name,mirror\n0,a,b\n1,b,c\n2,c,\n", "'a' mirrors 'b'"),
      ("value,name\n255,void\n", "no class is left"),
    ],
  )
  def test_mistakes_are_named(self, tmp_path, text, message):
    with pytest.raises(UserError, match="classes.csv") as error:
      read(tmp_path, text)
    assert message in str(error.value)


def test_table_from_values():
  table = table_from_values([9, 255, 4])
  assert [info.name for info in table.classes] == ["class_4", "class_9"]
  assert table.lookup[[4, 9, 255, 0]].tolist() == [0, 1, 255, UNLISTED]


def test_attribute_permutation_swaps_partners_only():
  classes = [
    ClassInfo("left", (0, 0, 0), mirror="right"),
    ClassInfo("right", (0, 0, 0), mirror="left"),
    ClassInfo("up", (0, 0, 0), mirror="down"),
    ClassInfo("down", (0, 0, 0), mirror="up"),
  ]
  names = ["right", "young", "left", "up"]
  assert attribute_permutation(classes, names).tolist() == [2, 1, 0, 3]
  assert attribute_permutation(classes, []).shape == (0,)
