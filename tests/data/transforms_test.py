"""Geometry against slow loops and hand-made cases."""

import itertools

import numpy as np
import pytest

from sginpaint.data.classes import ClassInfo, mirror_table
from sginpaint.data.transforms import (
  Geometry,
  check_options,
  describe_preprocessing,
  framed,
  input_size,
  plan_geometry,
  transform_attributes,
  transform_image,
  transform_labels,
)
from sginpaint.errors import UserError
from tests.data.example_folders import label, picture


def plan(height, width, seed=0, **options):
  chances = np.random.default_rng(seed).random(3)
  return plan_geometry(chances, height, width, **options)


class TestFraming:
  def test_own_box_and_mirroring_replace_what_was_planned(self):
    planned = Geometry(2, 0, 10, 10)
    mirrored = framed(planned, 14, 10, (None, True))
    assert mirrored == Geometry(2, 0, 10, 10, flip=True)
    box = framed(planned, 14, 10, ((4, 1, 6, 9), False))
    assert box == Geometry(4, 1, 6, 9)

  @pytest.mark.parametrize("box", [(9, 0, 6, 6), (0, -1, 6, 6), (0, 0, 0, 6)])
  def test_box_outside_is_refused(self, box):
    with pytest.raises(UserError, match="does not lie within .* 10x14"):
      framed(Geometry(2, 0, 10, 10), 14, 10, (box, False))


class TestPlan:
  def test_stretch_takes_all(self):
    geometry = plan(10, 30, resize="stretch", crop="random")
    assert geometry == Geometry(0, 0, 10, 30)

  def test_shorter_side_takes_the_central_square(self):
    assert plan(10, 31, resize="shorter_side") == Geometry(0, 10, 10, 10)
    assert plan(14, 10, resize="shorter_side") == Geometry(2, 0, 10, 10)

  def test_random_crops_reach_every_place(self):
    found = {
      plan(7, 10, seed, resize="shorter_side", crop="random")
      for seed in range(200)
    }
    assert found == {Geometry(0, left, 7, 7) for left in range(4)}

  def test_a_smaller_crop_reaches_every_place_in_both_directions(self):
    found = {
      plan(4, 6, seed, resize="shorter_side", crop="random", crop_size=0.5)
      for seed in range(400)
    }
    corners = itertools.product(range(3), range(5))
    assert found == {Geometry(top, left, 2, 2) for top, left in corners}

  def test_half_of_the_shorter_side_is_cut_from_the_middle(self):
    cut = plan(1024, 2048, resize="shorter_side", crop_size=0.5)
    assert cut == Geometry(256, 768, 512, 512)

  def test_the_greatest_numbers_stay_within_the_picture(self):
    top = [np.nextafter(1.0, 0.0)] * 3
    options = {"resize": "shorter_side", "crop": "random", "crop_size": 0.5}
    for side in range(2, 400):
      planned = plan_geometry(top, side, 2 * side, **options)
      assert planned.top + planned.height == side
      assert planned.left + planned.width == 2 * side

  @pytest.mark.parametrize(
    ("resize", "crop_size"),
    [("stretch", 0.5), ("shorter_side", 0.0), ("shorter_side", 1.5)],
  )
  def test_crop_size_that_cannot_be(self, resize, crop_size):
    with pytest.raises(UserError, match=r"config\.data\.crop_size"):
      check_options(resize=resize, crop="center", crop_size=crop_size)

  def test_half_are_flipped_and_the_seed_decides(self):
    flips = [
      plan(4, 4, s, resize="stretch", flip=True).flip for s in range(400)
    ]
    again = [
      plan(4, 4, s, resize="stretch", flip=True).flip for s in range(400)
    ]
    assert flips == again
    assert 150 < sum(flips) < 250

  def test_unknown_options(self):
    with pytest.raises(UserError, match="config.data.resize=fit: not known"):
      check_options(resize="fit", crop="center", crop_size=1.0)
    with pytest.raises(UserError, match="config.data.crop=left: not known"):
      check_options(resize="stretch", crop="left", crop_size=1.0)


class TestImage:
  def test_shrinking_averages_areas(self):
    image = picture(0, 12, 24)
    result = transform_image(image, Geometry(0, 0, 12, 24), 4)
    means = image.reshape(4, 3, 4, 6, 3).mean(axis=(1, 3))
    assert np.abs(result - means).max() <= 0.5 + 1e-6

  def test_growing_keeps_a_linear_ramp(self):
    ramp = np.tile(np.arange(0, 240, 8, dtype=np.uint8), (30, 1))
    result = transform_image(
      np.repeat(ramp[..., None], 3, -1), Geometry(0, 0, 30, 30), 60
    )
    centres = (np.arange(60) + 0.5) / 2 - 0.5
    # Bicubic reproduces a line away from the border.
    assert np.abs(result[30, 4:-4, 0] - 8 * centres[4:-4]).max() <= 1

  def test_axes_resize_by_themselves(self):
    columns = np.repeat(picture(0, 1, 24), 3, axis=0)
    result = transform_image(columns, Geometry(0, 0, 3, 24), 6)
    means = columns[0].reshape(6, 4, 3).mean(axis=1)
    assert np.abs(result - means).max() <= 1

  def test_box_of_the_right_size_is_copied(self):
    image = picture(0, 9, 11)
    result = transform_image(image, Geometry(2, 3, 6, 6), 6)
    np.testing.assert_array_equal(result, image[2:8, 3:9])

  @pytest.mark.parametrize("flip", [False, True])
  @pytest.mark.parametrize("size", [6, 8, 12, 31])
  def test_result_goes_where_it_is_wanted(self, size, flip):
    image, box = picture(0, 13, 18), Geometry(1, 2, 12, 8, flip)
    batch = np.zeros((3, size, size, 3), np.uint8)
    result = transform_image(image, box, size, out=batch[1])
    np.testing.assert_array_equal(result, transform_image(image, box, size))
    np.testing.assert_array_equal(batch[1], result)
    assert not batch[[0, 2]].any()

  @pytest.mark.parametrize("size", [5, 8, 31])
  def test_flip_is_the_exact_mirror_image(self, size):
    image = picture(0, 13, 18)
    plain = transform_image(image, Geometry(0, 2, 13, 13), size)
    flipped = transform_image(image, Geometry(0, 2, 13, 13, True), size)
    np.testing.assert_array_equal(flipped, plain[:, ::-1])


class TestLabels:
  @pytest.mark.parametrize("size", [1, 5, 12, 29])
  def test_matches_loop_reference(self, size):
    labels = label(0, 10, 17).astype(np.int32)
    box = Geometry(1, 2, 8, 13)
    expected = np.empty((size, size), np.int32)
    for i in range(size):
      for j in range(size):
        row = box.top + int((i + 0.5) * box.height / size)
        column = box.left + int((j + 0.5) * box.width / size)
        expected[i, j] = labels[row, column]
    np.testing.assert_array_equal(transform_labels(labels, box, size), expected)

  @pytest.mark.parametrize("size", [6, 7, 40])
  def test_no_new_values(self, size):
    labels = np.where(label(1, 20, 30) > 1, 255, 0).astype(np.int32)
    result = transform_labels(labels, Geometry(0, 0, 20, 30), size)
    assert set(np.unique(result)) == {0, 255}

  def test_stays_in_register_with_the_picture(self):
    edge = np.zeros((64, 64), np.int32)
    edge[:, 24:] = 1
    image = np.repeat(255 * edge[..., None], 3, -1).astype(np.uint8)
    whole = Geometry(0, 0, 64, 64)
    for size in (16, 128):
      shown = transform_image(image, whole, size)[..., 0] > 127
      np.testing.assert_array_equal(transform_labels(edge, whole, size), shown)

  def test_flip_swaps_mirrored_classes(self):
    black = (0, 0, 0)
    table = mirror_table(
      [
        ClassInfo("nose", black),
        ClassInfo("left", black, mirror="right"),
        ClassInfo("right", black, mirror="left"),
      ]
    )
    labels = np.array([[0, 1, 255], [2, 2, 1], [0, 0, 0]], np.int32)
    flipped = transform_labels(
      labels, Geometry(0, 0, 3, 3, True), 3, mirror=table
    )
    assert flipped.tolist() == [[255, 2, 0], [2, 1, 1], [0, 0, 0]]


def test_attributes_swap_only_when_flipped():
  values = np.array([1.0, 0.0, np.nan], np.float32)
  swap = np.array([1, 0, 2])
  plain = transform_attributes(values, Geometry(0, 0, 1, 1), swap)
  flipped = transform_attributes(values, Geometry(0, 0, 1, 1, True), swap)
  np.testing.assert_array_equal(plain, values)
  np.testing.assert_array_equal(flipped, [0.0, 1.0, np.nan])


def test_descriptions_differ_where_pixels_do():
  texts = {
    describe_preprocessing(resize=resize, crop=crop, size=size)
    for resize in ("stretch", "shorter_side")
    for crop in ("center", "random")
    for size in (32, 64)
  }
  smaller = describe_preprocessing(
    resize="shorter_side", crop="center", size=32, crop_size=0.5
  )
  assert len(texts | {smaller}) == 7  # a stretched picture is not cropped


@pytest.mark.parametrize(
  ("height", "width", "stretched", "kept"),
  [
    (100, 100, (64, 64), (64, 64)),
    (240, 320, (64, 64), (64, 80)),
    (320, 240, (64, 64), (80, 64)),
    (240, 250, (64, 64), (64, 64)),
    (10, 3000, (64, 64), (64, 256)),
  ],
)
def test_network_sees_the_scale_of_its_training(height, width, stretched, kept):
  sizes = [
    input_size(height, width, 64, resize=way)
    for way in ("stretch", "shorter_side")
  ]
  assert sizes == [stretched, kept]


def test_network_trained_on_crops_sees_the_whole_at_their_scale():
  size = input_size(1024, 2048, 64, resize="shorter_side", crop_size=0.5)
  assert size == (128, 256)
