"""Drawn holes: sizes, places, shares, and what a mask depends on."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from sginpaint.data import masks
from sginpaint.data.irregular import _draw

KEY = jax.random.key(0)


def _area(mask):
  """Missing pixels of each example, counted outside JAX."""
  mask = np.asarray(mask)
  assert mask.dtype == np.float32 and set(np.unique(mask)) <= {0.0, 1.0}
  return mask.sum((1, 2, 3)).astype(int)


def _bounds(mask):
  """(top, left, height, width) of the single rectangle in [H, W]."""
  rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
  box = rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1
  assert mask.sum() == box[2] * box[3]
  return box


class TestCenter:
  def test_placed_by_hand(self):
    want = np.zeros((2, 4, 5, 1), np.float32)
    want[:, 1:3, 1:4] = 1
    np.testing.assert_array_equal(masks.center((2, 4, 5), (2, 3)), want)

  def test_odd_remainder_leaves_more_below_and_right(self):
    mask = np.asarray(masks.center((1, 5, 6), 2))[0, ..., 0]
    assert _bounds(mask) == (1, 2, 2, 2)

  @pytest.mark.parametrize("size", [0, 6, (5, 6), 2.5, (1, 2, 3)])
  def test_refuses_sizes_that_do_not_fit(self, size):
    with pytest.raises(ValueError):
      masks.center((1, 5, 5), size)


class TestRectangle:
  def test_every_size_and_place_occurs_and_no_other(self):
    mask = masks.rectangle(KEY, (2000, 7, 9), low=(2, 3), high=(4, 6))
    seen = {_bounds(m) for m in np.asarray(mask)[..., 0]}
    want = {
      (top, left, tall, wide)
      for tall in range(2, 5)
      for wide in range(3, 7)
      for top in range(7 - tall + 1)
      for left in range(9 - wide + 1)
    }
    assert seen <= want
    assert len(seen) > 0.95 * len(want)

  def test_sides_are_uniform_and_independent(self):
    mask = masks.rectangle(KEY, (4000, 8, 8), low=2, high=5)
    sides = np.array([_bounds(m)[2:] for m in np.asarray(mask)[..., 0]])
    table = np.histogram2d(*sides.T, bins=np.arange(1.5, 6))[0] / 4000
    np.testing.assert_allclose(table, 1 / 16, atol=0.02)

  def test_defaults_are_for_256(self):
    mask = np.asarray(masks.rectangle(KEY, (32, 256, 256)))[..., 0]
    sides = np.array([_bounds(m)[2:] for m in mask])
    assert sides.min() >= 80 and sides.max() <= 160

  @pytest.mark.parametrize("low, high", [(5, 4), (0, 4), (2, 9)])
  def test_refuses_bad_sizes(self, low, high):
    with pytest.raises(ValueError):
      masks.rectangle(KEY, (1, 8, 8), low=low, high=high)


class TestIrregular:
  @pytest.mark.parametrize("exact", [False, True])
  @pytest.mark.parametrize(
    "shape", [(60, 16, 16), (60, 40, 25), (12, 150, 135)]
  )
  def test_ratio_is_inside(self, shape, exact):
    for lo, hi in [(0.01, 0.02), (0.2, 0.4), (0.59, 0.6), (0, 1), (0.98, 1)]:
      mask = masks.irregular(KEY, shape, ratio=(lo, hi), exact=exact)
      ratio = _area(mask) / (shape[1] * shape[2])
      assert (lo <= ratio).all() and (ratio <= hi).all()
      assert len(np.unique(ratio)) > 1

  @pytest.mark.parametrize("exact", [False, True])
  @pytest.mark.parametrize(
    "ratio, count",
    [(0, 0), (1, 1000), (0.25, 250), (0.07, 70), (0.3, 300), (0.6004, 600)],
  )
  def test_one_value_gives_that_count_or_the_nearest(self, ratio, count, exact):
    mask = masks.irregular(KEY, (60, 40, 25), ratio=(ratio,) * 2, exact=exact)
    assert (_area(mask) == count).all()

  def test_a_level_line_that_misses_the_range_is_mended(self):
    mask = masks.irregular(KEY, (12, 150, 135), ratio=(0.3, 0.3))
    assert (_area(mask) == 6075).all()

  def test_exact_counts_are_uniform_in_the_range(self):
    shape = (4000, 16, 16)  # 0.01..0.03 of 256 pixels: 3, 4, 5, 6, 7
    mask = masks.irregular(KEY, shape, ratio=(0.01, 0.03), exact=True)
    counts, times = np.unique(_area(mask), return_counts=True)
    assert counts.tolist() == [3, 4, 5, 6, 7]
    np.testing.assert_allclose(times / 4000, 0.2, atol=0.03)

  def test_ratio_per_example(self):
    lo = (np.arange(60) + 0.1234) / 61  # no bound is a whole count
    ratio = np.stack([lo, lo + 1 / 61], 1)
    shape = (60, 40, 25)
    draw = jax.jit(lambda ratio: masks.irregular(KEY, shape, ratio=ratio))
    mask = draw(ratio)
    found = _area(mask) / 1000
    assert (np.abs(found - ratio.mean(1)) <= 1 / 122).all()
    same = masks.irregular(KEY, shape, ratio=ratio)
    np.testing.assert_array_equal(mask, same)

  @pytest.mark.parametrize("exact", [False, True])
  def test_mask_depends_on_key_and_position_only(self, exact):
    def draw(batch):
      return np.asarray(masks.irregular(KEY, (batch, 150, 135), exact=exact))

    few, many = draw(3), draw(12)
    np.testing.assert_array_equal(few, many[:3])
    assert len(np.unique(many, axis=0)) == 12

  def test_looks_like_strokes_not_like_noise(self):
    shape = (40, 64, 64)
    for ratio in [(0.05, 0.1), (0.3, 0.3), (0.55, 0.6)]:
      mask = np.asarray(masks.irregular(KEY, shape, ratio=ratio))[..., 0]
      edges = (mask[:, 1:] != mask[:, :-1]).sum((1, 2))
      noise = 2 * mask.mean((1, 2)) * (1 - mask.mean((1, 2))) * 63 * 64
      assert (edges < 0.6 * noise).all()
      touched = mask.mean(0) > 0
      assert touched.mean() > 0.8  # strokes reach every part of the picture

  def test_new_keys_and_ratios_do_not_recompile(self):
    masks.irregular(KEY, (60, 16, 16))
    compiled = _draw._cache_size()
    for i in range(3):
      ratio = (0.1, 0.2 + i / 10)
      masks.irregular(jax.random.key(i), (60, 16, 16), ratio=ratio)
    assert _draw._cache_size() == compiled

  @pytest.mark.parametrize(
    "ratio", [(0.3, 0.2), (-0.1, 0.2), (0.5, 1.1), (0.1,), (0.1, np.nan)]
  )
  def test_refuses_bad_ratios(self, ratio):
    with pytest.raises(ValueError):
      masks.irregular(KEY, (3, 16, 16), ratio=ratio)

  @pytest.mark.parametrize("shape", [(16, 16), (1, 0, 16), (1, 16, 16, 1)])
  def test_refuses_bad_shapes(self, shape):
    with pytest.raises(ValueError):
      masks.irregular(KEY, shape)


class TestSample:
  def _kinds(self, mask, center):
    is_center = (mask == center).all((1, 2, 3))
    box = np.array([m.any(1).sum() * m.any(0).sum() for m in mask[..., 0]])
    is_rectangle = ~is_center & (mask.sum((1, 2, 3)) == box)
    return is_center.mean(), is_rectangle.mean()

  def test_shares(self):
    def draw(batch):
      return np.asarray(
        masks.sample(
          KEY, (batch, 16, 16), irregular=1.0, center=3.0, rectangle=6.0,
          irregular_ratio=[0.3, 0.6], rectangle_size=[0.5, 0.8],
        )
      )  # fmt: skip

    mask = draw(1500)
    want = np.asarray(masks.center((1500, 16, 16), 8))
    center, rectangle = self._kinds(mask, want)
    assert abs(center - 0.3) < 0.05  # a rectangle may happen to be centred
    assert abs(rectangle - 0.6) < 0.05
    np.testing.assert_array_equal(mask[:5], draw(5))

  def test_sizes_are_fractions_of_each_side(self):
    mask = masks.sample(KEY, (1, 8, 16), irregular=0, center=1)
    np.testing.assert_array_equal(mask, masks.center((1, 8, 16), (4, 8)))
    mask = masks.sample(
      KEY, (50, 16, 32), irregular=0, rectangle=1, rectangle_size=(0.25, 0.5)
    )
    sides = np.array([_bounds(m)[2:] for m in np.asarray(mask)[..., 0]])
    assert sides.min(0).tolist() == [4, 8] and sides.max(0).tolist() == [8, 16]

  def test_a_share_of_zero_is_not_computed(self):
    def ops(**shares):
      draw = lambda key: masks.sample(key, (2, 16, 16), **shares)
      return str(jax.make_jaxpr(draw)(KEY))

    assert "_draw" in ops(irregular=1, center=1)
    assert "_draw" not in ops(irregular=0, center=1, rectangle=1)

  @pytest.mark.parametrize("irregular, center", [(0, 0), (-1, 2)])
  def test_refuses_bad_shares(self, irregular, center):
    with pytest.raises(ValueError):
      masks.sample(KEY, (1, 16, 16), irregular=irregular, center=center)


_DEVICES = """
import hashlib, sys
import jax, numpy as np
jax.config.update("jax_num_cpu_devices", int(sys.argv[1]))
from sginpaint.data import masks
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("data",))
data = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
draw = jax.jit(
  lambda key: masks.sample(key, (16, 130, 130), center=0.3, rectangle=0.3),
  out_shardings=data,
)
mask = draw(jax.random.key(1))
assert len(mask.sharding.device_set) == int(sys.argv[1])
print(hashlib.sha256(np.asarray(mask).tobytes()).hexdigest())
"""


def test_same_bits_on_one_and_eight_devices():
  one, eight = (
    subprocess.run(
      [sys.executable, "-c", _DEVICES, n],
      check=True, capture_output=True, text=True,
    ).stdout
    for n in ("1", "8")
  )  # fmt: skip
  assert one == eight and len(one.strip()) == 64


def test_same_masks_inside_and_outside_jit():
  draw = lambda key: masks.sample(key, (5, 16, 16), center=1, rectangle=1)
  np.testing.assert_array_equal(jax.jit(draw)(KEY), draw(KEY))
