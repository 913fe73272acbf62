"""Holes of coarser scales by a loop, and which scales a system has."""

import numpy as np
import pytest

from sginpaint.evaluation.scales import Scales, hole_at


@pytest.mark.parametrize("cells", [(6, 8), (3, 4), (2, 8), (1, 1)])
def test_cell_touches_the_hole_if_any_of_its_pixels_does(cells):
  mask = (np.random.default_rng(0).random((2, 6, 8, 1)) < 0.2).astype("f4")
  expected = np.zeros((2, *cells, 1))
  for b, y, x, _ in zip(*np.nonzero(mask), strict=True):
    expected[b, y * cells[0] // 6, x * cells[1] // 8] = 1
  np.testing.assert_array_equal(hole_at(mask, cells), expected)


def test_scales_are_found_by_name_and_run_coarse_to_fine():
  available = frozenset(
    {"image", "image_1", "image_2", "confidence_2", "prior", "scales"}
  )
  analysis = Scales(available=available)
  assert analysis.scales == (2, 1, 0)
  assert set(analysis.keys) == available - {"prior", "scales"}
