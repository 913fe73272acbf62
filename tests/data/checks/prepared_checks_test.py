"""Prepared data sets are looked at record by record, as files are."""

import dataclasses

import numpy as np
import pytest

from configs import common
from sginpaint.data.checks import check_dataset, dataset
from sginpaint.data.datasets import load_dataset
from sginpaint.errors import UserError
from tests.training.small import EXAMPLES, prepare_scenes


class _Records(list):
  """Records with one twice, one damaged, and one attribute everywhere."""

  def __init__(self, records):
    rows = [dict(records[i]) for i in range(len(records))]
    rows[2] = rows[1]
    rows[3]["image"] = rows[3]["image"][:99]
    for i, row in enumerate(rows):
      row["attributes"] = np.array(row["attributes"])
      row["attributes"][:2] = i % 2, 1
    super().__init__(rows)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
  data = common.get_config().data
  data.update(
    path=prepare_scenes(tmp_path_factory.mktemp("scenes")),
    builder_config="32",
    image_size=32,
  )
  return data


def check(data, open_it=lambda: None):
  report = check_dataset(data, open_it)
  return {f.kind.code: f for f in report.findings}, report


def test_the_embedded_scenes(scenes):
  findings, report = check(scenes)
  assert report.sound
  assert report.read == EXAMPLES
  assert "labels of 10 classes" in report.what
  assert "unknown-value" not in findings


@pytest.fixture
def spoilt(monkeypatch):
  """The records of train are `_Records`."""

  def load(**options):
    opened = load_dataset(**options)
    train = opened.splits["train"]
    records = dataclasses.replace(train, records=_Records(train.records))
    return dataclasses.replace(
      opened, splits={**opened.splits, "train": records}
    )

  monkeypatch.setattr(dataset, "load_dataset", load)


def test_records_that_are_damaged_or_repeated(scenes, spoilt):
  findings, report = check(scenes)
  assert findings["unreadable-picture"].count == 1
  assert findings["repeated-picture"].count == 1
  assert findings["repeated-id"].count == 1
  assert not report.sound


def test_prevalence_of_those_kept_alone(scenes, spoilt):
  names = load_dataset(
    name=scenes.name, path=scenes.path, builder_config="32"
  ).attributes
  said = check(scenes)[0]["attribute-prevalence"].examples
  assert f"{names[1]}: 100.0%" in said
  kept = scenes.copy_and_resolve_references()
  kept.keep_attributes = (names[1],)
  assert check(kept)[0]["attribute-prevalence"].count == 1
  kept.keep_attributes = (names[0],)
  assert "attribute-prevalence" not in check(kept)[0]


def test_what_a_training_refuses_is_an_error(scenes):
  def refuse():
    raise UserError("a network needs labels")

  findings, report = check(scenes, refuse)
  assert "a network needs labels" in findings["refused"].line
  assert not report.sound
