"""What a store will take on disk, told before it is written."""

import logging
import re
import shutil

import numpy as np
import pytest
from ml_collections import ConfigDict

from sginpaint.data.feature_writer import FeatureWriter
from sginpaint.errors import UserError
from sginpaint.training.feature_sizes import check_space

SHAPE = (12, 12, 40)
IDS = [str(i) for i in range(70)]


def open_writer(folder, dtype="bfloat16", views=("identity", "flip")):
  return FeatureWriter(
    folder, {}, IDS, dtype=dtype, views=views, records_per_shard=30
  )


def config(dtype="bfloat16", flip="both"):
  teacher = {"layer": "layer2", "dtype": dtype, "flip": flip}
  return ConfigDict({"teacher": teacher})


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize("flip", ["both", "mirror"])
def test_chosen_line_is_the_size_on_disk(tmp_path, caplog, dtype, flip):
  views = ("identity",) if flip == "mirror" else ("identity", "flip")
  with (
    caplog.at_level(logging.INFO, "sginpaint"),
    open_writer(tmp_path, dtype, views) as writer,
  ):
    check_space(writer, SHAPE, config(dtype, flip))
    for span in writer.claim():
      writer.write(np.ones((len(span), len(views), *SHAPE), np.float32))
  size = sum(p.stat().st_size for p in tmp_path.glob("*.array_record"))
  (line,) = re.findall(r"^\* .*", caplog.text, re.MULTILINE)
  told = [int(n.replace(",", "")) for n in re.findall(r"[\d,]{5,}", line)]
  assert dtype in line and ("flip" in line) == (flip == "both")
  assert told[0] * len(IDS) <= told[1] == pytest.approx(size, rel=0.01)
  assert f"to write: {told[1]:,} bytes" in caplog.text


def test_only_what_is_missing_must_fit(tmp_path, monkeypatch):
  free = shutil.disk_usage(tmp_path)._replace(free=5_000_000)
  monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
  with open_writer(tmp_path) as writer:
    with pytest.raises(UserError, match="5,000,000 are free.*dtype=int8"):
      check_space(writer, (24, 24, 64), config())
    for span in writer.claim():
      writer.write(np.ones((len(span), 2, *SHAPE), np.float32))
    check_space(writer, (24, 24, 64), config())
