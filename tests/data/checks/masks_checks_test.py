"""Masks with each thing that can be wrong, and the words about them."""

import numpy as np
import pytest

from sginpaint.data.checks import check_masks
from sginpaint.errors import UserError
from tests.data.example_folders import save


def square(share):
  """uint8 [20, 20] of which `share` is white, in rows."""
  mask = np.zeros((20, 20), np.uint8)
  mask[: round(20 * share)] = 255
  return mask


def check(folder, **options):
  report = check_masks(str(folder), **options)
  return {f.kind.code: f for f in report.findings}, report


def test_sound_masks_are_counted_by_ratio(tmp_path):
  for i, share in enumerate((0.05, 0.15, 0.2, 0.55)):
    save(tmp_path / f"{i}.png", square(share))
  findings, report = check(tmp_path)
  assert list(findings) == ["mask-ratios"]
  assert "(01-10: 1; 10-20: 2; 50-60: 1)" in report.text
  assert "4 masks, 20x20, white = missing" in report.text
  assert report.sound


@pytest.mark.parametrize("white_is_hole", [True, False])
def test_polarity(tmp_path, white_is_hole):
  for i in range(3):
    save(tmp_path / f"{i}.png", square(0.8))
  findings, _ = check(tmp_path, white_is_hole=white_is_hole)
  assert ("inverted-masks" in findings) == white_is_hole
  if white_is_hole:
    line = findings["inverted-masks"].line
    assert "(80%)" in line
    assert "--config.masks.white_is_hole=False" in line


def test_what_is_planted_is_found(tmp_path):
  save(tmp_path / "a/empty.png", square(0))
  save(tmp_path / "b/full.png", square(1))
  save(tmp_path / "grey.png", np.full((20, 20), 100, np.uint8))
  save(tmp_path / "long.png", square(0.5)[:, :8])
  (tmp_path / "broken.png").write_bytes(b"no picture")
  findings, report = check(tmp_path)
  names = {code: f.examples[0].split(":")[0] for code, f in findings.items()}
  assert (
    names.items()
    >= {
      "empty-mask": "a/empty.png",
      "full-mask": "b/full.png",
      "grey-mask": "grey.png",
      "oblong-mask": "long.png",
      "unreadable-mask": "broken.png",
    }.items()
  )
  assert not report.sound
  assert "verdict: mend the errors before" in report.text


def test_no_masks(tmp_path):
  findings, _ = check(tmp_path)
  assert list(findings) == ["no-masks"]
  with pytest.raises(UserError, match="no such folder"):
    check_masks(str(tmp_path / "none"))
