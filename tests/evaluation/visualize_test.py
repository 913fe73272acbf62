"""Panels for people."""

import numpy as np

from sginpaint.evaluation import visualize


class TestKMeans:
  def _blobs(self):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 6)[:, None].repeat(10, 1)
    centres = rng.normal(0, 10, (6, 5))
    return labels, centres[labels] + rng.normal(0, 0.1, (36, 10, 5))

  def test_finds_clear_clusters_numbered_from_the_top(self):
    labels, features = self._blobs()
    np.testing.assert_array_equal(visualize.k_means(features), labels)

  def test_same_seed_same_panel(self):
    features = np.random.default_rng(1).normal(size=(8, 8, 4))
    first, second = (visualize.k_means(features, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(np.unique(first)) == 6

  def test_constant_features_are_one_cluster(self):
    assert (visualize.k_means(np.ones((4, 4, 3))) == 0).all()


class TestColors:
  def test_ignored_pixels_are_dark(self):
    colors = np.array([[1, 2, 3], [200, 100, 50]], np.uint8)
    picture = visualize.color_labels(np.array([[0, 1, 255]]), colors)
    assert picture[0].tolist() == [[1, 2, 3], [200, 100, 50], [24, 24, 24]]

  def test_wrong_labels_stand_out(self):
    labels, truth = np.array([[0, 1, 2, 0]]), np.array([[0, 1, 1, 255]])
    shown = visualize.wrong_labels(labels, truth, np.array([[0, 1, 1, 1]]))[0]
    assert shown[0].tolist() == [255, 255, 255]
    assert shown[3].tolist() == [24, 24, 24]
    right, wrong = shown[1].astype(int), shown[2].astype(int)
    assert wrong[0] - wrong[2] > 100 > abs(right[0] - right[2])

  def test_hole_is_marked_and_the_rest_stays(self):
    image = np.full((8, 8, 3), 90, np.uint8)
    mask = np.zeros((8, 8, 1))
    mask[2:5] = 1
    shown = visualize.with_hole(image, mask)
    assert (shown[:2] == 90).all()
    assert (shown[5:] == 90).all()
    assert (shown[2:5] > 200).all()


class TestOutputs:
  def test_kinds(self):
    colors = np.array([[9, 9, 9], [200, 100, 50]], np.uint8)
    logits = np.zeros((2, 2, 2))
    logits[..., 1] = 1
    shown = visualize.show_output("segmentation_logits", logits, 4, colors)
    assert (shown == [200, 100, 50]).all()
    assert shown.shape == (4, 4, 3)
    coarse = visualize.show_output("coarse", np.full((4, 4, 3), 1.0), 4)
    assert (coarse == 255).all()
    assert visualize.show_output("attribute_logits", np.zeros(5), 4) is None

  def test_a_coarser_scale_is_shown_like_the_full_one(self):
    for name, value in (
      ("segmentation", np.array([[0, 1], [2, 255]])),
      ("confidence", np.array([[0.0, 0.2], [0.7, 1.0]])),
      ("reliability", np.array([[0.0, 1.0], [1.0, 0.0]])),
    ):
      full = visualize.show_output(name, value, 4)
      coarse = visualize.show_output(f"{name}_3", value, 4)
      np.testing.assert_array_equal(coarse, full)

  def test_rise_is_red_and_fall_is_blue(self):
    fine = np.array([[1.0, 0.5], [0.0, 0.5]])
    shown = visualize.rise(fine, np.array([[0.5]]), 2).astype(int)
    red, blue = shown[0, 0], shown[1, 0]
    assert red[0] > red[2] and blue[2] > blue[0]
    assert (shown[:, 1] == 255).all()
    full = visualize.rise(np.ones((2, 2)), np.zeros((1, 1)), 4)
    assert full.shape == (4, 4, 3)
    assert (full < red).any()

  def test_grid_enlarges_whole_times(self):
    cell = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    picture = visualize.grid([[cell, cell]], ["a", "b"], gap=2, cell=8)
    assert picture.shape == (22 + 10, 2 * 10 + 2, 3)
    np.testing.assert_array_equal(picture[22:30:2, 2:10:2], cell)
    np.testing.assert_array_equal(picture[23:30:2, 13:20:2], cell)
