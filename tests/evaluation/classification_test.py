"""Tests of sginpaint.evaluation.classification by hand-computed values."""

import numpy as np
import pytest

from sginpaint.evaluation.classification import (
  accuracies,
  mean_average_precision,
)


def test_hand_computed_average_precisions():
  """Column 0 ranks + - + -: (1/1 + 2/3) / 2; column 1 ranks its + last."""
  scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
  targets = np.array([[1, 1], [0, 0], [1, 0], [0, 0]], np.float32)
  mean, each = mean_average_precision(scores, targets)
  np.testing.assert_allclose(each, [5 / 6, 1 / 4])
  np.testing.assert_allclose(mean, (5 / 6 + 1 / 4) / 2)


def test_equal_scores_are_one_threshold():
  """Ties: {+, -} then {+}: 1/2 * 1/2 + 1/2 * 2/3, in every order."""
  scores = np.array([[1.0], [1.0], [0.0]])
  for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
    targets = np.array([[1.0], [0.0], [1.0]])
    mean, _ = mean_average_precision(scores[order], targets[order])
    np.testing.assert_allclose(mean, 7 / 12)


def test_constant_score_gets_the_prevalence():
  targets = np.array([[1.0], [0.0], [0.0], [0.0]])
  assert mean_average_precision(np.zeros((4, 1)), targets)[0] == 0.25


def test_unknown_targets_are_left_out():
  scores = np.array([[0.9], [0.8], [0.7]])
  targets = np.array([[np.nan], [1.0], [0.0]])
  assert mean_average_precision(scores, targets)[0] == 1.0


def test_attribute_without_positive_is_not_averaged():
  targets = np.array([[1.0, 0.0, np.nan], [0.0, 0.0, np.nan]])
  mean, each = mean_average_precision(np.zeros((2, 3)), targets)
  assert mean == 0.5
  assert np.isnan(each[1:]).all()


def test_no_positive_at_all_gives_nan():
  assert np.isnan(mean_average_precision(np.zeros((2, 1)), np.zeros((2, 1)))[0])


def test_accuracy_is_over_what_is_known():
  logits = np.array([[2.0, -1.0, 1.0], [-3.0, 1.0, 1.0], [0.5, -2.0, 1.0]])
  targets = np.array([[1, 0, np.nan], [1, np.nan, np.nan], [1, 1, np.nan]])
  np.testing.assert_allclose(accuracies(logits, targets), [2 / 3, 0.5, np.nan])


def test_shapes_must_agree():
  with pytest.raises(ValueError, match=r"\(2, 1\)"):
    mean_average_precision(np.zeros((2, 1)), np.zeros((1, 2)))
