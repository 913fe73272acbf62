"""`--attributes`: words or a file, and what is wrong with them."""

import pathlib

import numpy as np
import pytest

from sginpaint.cli.attributes import read_attributes
from sginpaint.errors import UserError

NAMES = ("Smiling", "Male", "Young")
PICTURES = [pathlib.Path("a/one.jpg"), pathlib.Path("a/two.png")]


def test_words_count_for_every_picture():
  told = read_attributes("Male=0, Smiling=0.5,", PICTURES, NAMES)
  assert list(told) == PICTURES
  for vector in told.values():
    np.testing.assert_array_equal(vector, np.float32([0.5, 0, np.nan]))
  assert read_attributes(None, PICTURES, NAMES) == {}


def test_file_has_a_row_per_picture(tmp_path):
  path = tmp_path / "wanted.csv"
  path.write_text("picture,Young,Smiling\ntwo.png,1,\nthree,0,0\n")
  told = read_attributes(str(path), PICTURES, NAMES)
  np.testing.assert_array_equal(told[PICTURES[0]], [np.nan] * 3)
  np.testing.assert_array_equal(told[PICTURES[1]], [np.nan, np.nan, 1])


@pytest.mark.parametrize(
  ("given", "message"),
  [
    ("Bald=1", "no attribute 'Bald'; there are Smiling, Male, Young"),
    ("Male=1,Male=0", "Male is there twice"),
    ("Male=yes", "Male=yes: write a number"),
    ("Male=2", "write a number in 0..1"),
    ("Male=nan", "write a number"),
    ("Male", "Male: no such file"),
    ("gone.csv", "no such file"),
  ],
)
def test_mistakes_name_the_word(given, message):
  with pytest.raises(UserError, match=f"^--attributes={given}: .*") as error:
    read_attributes(given, PICTURES, NAMES)
  assert message in str(error.value)


def test_file_of_unknown_attributes_is_refused(tmp_path):
  path = tmp_path / "wanted.csv"
  path.write_text("picture,Bald\none,1\n")
  with pytest.raises(UserError, match=r"wanted\.csv: no attribute 'Bald'"):
    read_attributes(str(path), PICTURES, NAMES)
