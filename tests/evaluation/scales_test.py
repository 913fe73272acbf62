"""Which scales a system has."""

from sginpaint.evaluation.scales import Scales


def test_scales_are_found_by_name_and_run_coarse_to_fine():
  available = frozenset(
    {"image", "image_1", "image_2", "confidence_2", "prior", "scales"}
  )
  analysis = Scales(available=available)
  assert analysis.scales == (2, 1, 0)
  assert set(analysis.keys) == available - {"prior", "scales"}
