"""Windows: every hole pixel is filled once, with the margin it was promised."""

import numpy as np
import pytest

from sginpaint import windows as windows_module
from sginpaint.errors import UserError
from sginpaint.windows import plan_windows


def _random_mask(seed: int) -> np.ndarray:
  """Rectangles of all sizes, specks, and pictures of all shapes."""
  rng = np.random.default_rng(seed)
  shape = rng.integers(1, 400, 2)
  mask = rng.random(shape) < rng.choice([0, 1e-4, 1e-2])
  for _ in range(rng.integers(0, 6)):
    top, left = rng.integers(0, shape)
    height, width = rng.integers(1, rng.choice([5, 50, 300], 2))
    mask[top : top + height, left : left + width] = True
  return mask


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("size", [16, 64, 128])
def test_windows_cover_holes_with_margin(seed, size):
  mask = _random_mask(seed)
  plan = plan_windows(mask, size)
  times = np.zeros(mask.shape, int)
  for index, window in enumerate(plan.windows):
    own = plan.owned(index, mask)
    times[window.rows, window.columns] += own
    ys, xs = np.nonzero(own)
    half = max(np.ptp(ys), np.ptp(xs)) / 2 + 0.5
    for first, last, start, stop, end in (
      (ys.min(), ys.max(), window.rows.start, window.rows.stop, mask.shape[0]),
      (
        *(xs.min(), xs.max()),
        *(window.columns.start, window.columns.stop),
        mask.shape[1],
      ),
    ):
      assert 0 <= start < stop <= end
      first, last = first + start, last + start
      assert start == 0 or first - start >= half
      assert stop == end or stop - 1 - last >= half
      assert stop - start >= min(size, end)
    assert (window.height, window.width) == tuple(
      min(window.side, extent) for extent in mask.shape
    )
  np.testing.assert_array_equal(times, mask)


def test_no_hole_no_window():
  assert plan_windows(np.zeros((50, 70), bool), 32).windows == ()


def test_small_holes_share_a_window_and_keep_full_resolution():
  mask = np.zeros((300, 300), bool)
  mask[100, 100] = mask[130, 140] = mask[110, 125] = True
  mask[290:, 290:] = True
  windows = plan_windows(mask, 128).windows
  assert [w.side for w in windows] == [128, 128]


def test_a_long_hole_gets_a_larger_window():
  mask = np.zeros((1000, 1200), bool)
  mask[500:504, 300:700] = True
  (window,) = plan_windows(mask, 64).windows
  assert 800 <= window.side <= 810


def test_thin_pictures_are_reflected_to_a_square():
  mask = np.zeros((20, 500), bool)
  mask[5:15, 240:300] = True
  (window,) = plan_windows(mask, 64).windows
  image = np.arange(20 * 500, dtype=np.float32).reshape(20, 500)
  square = window.cut(image)
  assert square.shape == (window.side, window.side)
  np.testing.assert_array_equal(
    square[window.inner], image[window.rows, window.columns]
  )
  above = window.inner[0].start
  np.testing.assert_array_equal(square[above - 1], square[above + 1])


def test_many_specks_make_few_windows():
  mask = np.random.default_rng(0).random((1024, 1024)) < 1e-3
  windows = plan_windows(mask, 256).windows
  assert len(windows) < 200  # about a thousand specks


def test_very_many_pieces_are_grouped_part_by_part(monkeypatch):
  mask = np.zeros((600, 600), bool)
  mask[::12, ::12] = True  # 2500 specks
  monkeypatch.setattr(windows_module, "_TOGETHER", 10**9)
  few = len(plan_windows(mask, 64).windows)
  monkeypatch.setattr(windows_module, "_TOGETHER", 100)
  plan = plan_windows(mask, 64)
  assert few <= len(plan.windows) < 1.5 * few
  assert {w.side for w in plan.windows} == {64}
  times = np.zeros(mask.shape, int)
  for index, window in enumerate(plan.windows):
    times[window.rows, window.columns] += plan.owned(index, mask)
  np.testing.assert_array_equal(times, mask)


@pytest.mark.parametrize("step", [12, 40])
def test_windows_may_be_bounded(step):
  mask = np.zeros((600, 600), bool)
  mask[::step, ::step] = True
  count = len(plan_windows(mask, 64).windows)
  assert len(plan_windows(mask, 64, max_windows=count).windows) == count
  for limit in (count - 1, 1):
    with pytest.raises(UserError, match=f"too many for {limit} parts"):
      plan_windows(mask, 64, max_windows=limit)
