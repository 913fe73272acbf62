"""Data sets with fewer attributes, or without labels."""

import numpy as np
import pytest

from sginpaint.data.datasets import load_dataset
from sginpaint.data.views import keep_attributes, without_labels
from sginpaint.errors import UserError
from tests.data.example_folders import make_folder


@pytest.fixture(name="whole")
def _whole(tmp_path):
  folder = make_folder(tmp_path)
  stems = sorted(p.stem for p in (folder / "images").rglob("*.*"))
  rows = [f"{stem},{i % 2},{(i + 1) % 2},1" for i, stem in enumerate(stems)]
  (folder / "attributes.csv").write_text("\n".join(["id,a,b,c", *rows]))
  return load_dataset(name="folder", path=str(folder))


def test_attributes_come_in_the_order_asked(whole):
  kept = keep_attributes(whole, ["c", "a"])
  assert kept.attributes == ("c", "a")
  assert kept.fingerprint != whole.fingerprint
  before, after = whole.split("train"), kept.split("train")
  assert before.fingerprint == after.fingerprint
  assert list(before.ids) == list(after.ids)
  for i in range(len(before)):
    np.testing.assert_array_equal(
      after[i]["attributes"], before[i]["attributes"][[2, 0]]
    )
    np.testing.assert_array_equal(after[i]["image"], before[i]["image"])
    assert after.content(i) == before.content(i)


def test_loading_keeps_what_is_named(whole):
  kept = load_dataset(name="folder", path=whole.source, attributes=("b",))
  assert kept.attributes == ("b",)


def test_no_name_keeps_all_and_wrong_ones_are_refused(whole):
  assert keep_attributes(whole, ()) is whole
  with pytest.raises(UserError, match="=d: not an attribute.*a, b, c"):
    keep_attributes(whole, ["d"])
  with pytest.raises(UserError, match="once"):
    keep_attributes(whole, ["a", "a"])


def test_without_labels_nothing_is_labelled(whole):
  bare = without_labels(whole)
  assert bare.classes == ()
  assert whole.split("train").labelled
  assert not bare.split("train").labelled
  assert "segmentation" in whole.split("train")[0]
  assert set(bare.split("train")[0]) == {"image", "attributes"}
