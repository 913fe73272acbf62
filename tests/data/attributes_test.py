"""Attributes out of a file and out of labels."""

import numpy as np
import pytest

from sginpaint.data.attributes import classes_present, read_attributes
from sginpaint.data.classes import ClassInfo, ClassTable
from sginpaint.data.folder_layout import Picture
from sginpaint.errors import UserError

PICTURES = tuple(
  Picture(name, f"images/{name}.jpg", "", "") for name in ("a", "d/b", "c")
)


def read(tmp_path, text):
  (tmp_path / "attributes.csv").write_text(text)
  return read_attributes(tmp_path / "attributes.csv", PICTURES)


class TestReadAttributes:
  def test_values(self, tmp_path):
    names, values = read(
      tmp_path, "file,young,hat\nc.jpg,1,-1\nb,0,\nelsewhere,1,1\n"
    )
    assert names == ("young", "hat")
    nan = np.nan
    np.testing.assert_array_equal(values, [[nan, nan], [0, nan], [1, 0]])

  @pytest.mark.parametrize(
    ("text", "message"),
    [
      ("id\na\n", "first line must name"),
      ("id,x,x\na,1,1\n", "first line must name"),
      ("id,x\na,2\n", "line 2: '2'; write 1, 0, -1"),
      ("id,x\na,1,0\n", "line 2: 2 values"),
      ("id,x\nq,1\n", "no row fits"),
    ],
  )
  def test_mistakes_are_named(self, tmp_path, text, message):
    with pytest.raises(UserError, match=r"attributes.csv") as error:
      read(tmp_path, text)
    assert message in str(error.value)


class TestClassesPresent:
  TABLE = ClassTable(
    tuple(ClassInfo(n, (0, 0, 0)) for n in ("sky", "tree", "road")), (0, 1, 2)
  )

  def test_half_a_percent_of_all_pixels_counts(self):
    counts = [{0: 994, 1: 4, 255: 2}, {1: 5, 255: 995}, {}]
    names, values = classes_present(self.TABLE, counts, [0, 1])
    assert names == ("sky", "tree")
    nan = np.nan
    np.testing.assert_array_equal(values, [[1, 0], [0, 1], [nan, nan]])
    assert values.dtype == np.float32

  def test_what_nearly_all_or_none_have_is_dropped(self):
    # Of 100 training pictures: sky in 99, tree in 98, road in 2.
    counts = [{0: 5, 1: 5} for _ in range(97)]
    counts += [{0: 5, 1: 5, 2: 5}, {0: 5, 2: 5}, {3: 5}]
    table = ClassTable(
      (*self.TABLE.rows, ClassInfo("rare", (0, 0, 0))), (0, 1, 2, 3)
    )
    names, values = classes_present(table, counts, range(100))
    assert names == ("tree", "road")
    assert values.sum(axis=0).tolist() == [98, 2]

  def test_the_training_pictures_decide(self):
    counts = [{0: 1}, {1: 1}, {2: 1}]
    names, _ = classes_present(self.TABLE, counts, [0, 1])
    assert names == ("sky", "tree")
