"""Scores of segmentation equal scikit-learn's on the pixels."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, jaccard_score

from netwright.tasks.segmentation_metrics import (
    confusion,
    dice,
    foreground_iou,
    iou,
    mean_dice,
    mean_iou,
    pixel_accuracy,
)


def maps() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (3, 9, 11), dtype=np.uint8)
    return truth, np.where(rng.random(truth.shape) < 0.3, rng.integers(0, 4, truth.shape), truth)


def test_same_as_scikit_learn():
    truth, predicted = maps()
    matrix = confusion(truth, predicted, 4)
    a, b = truth.ravel(), predicted.ravel()
    np.testing.assert_array_equal(matrix, confusion_matrix(a, b))
    np.testing.assert_allclose(iou(matrix), jaccard_score(a, b, average=None))
    np.testing.assert_allclose(dice(matrix), f1_score(a, b, average=None))
    assert mean_iou(matrix) == pytest.approx(jaccard_score(a, b, average="macro"))
    assert mean_dice(matrix) == pytest.approx(f1_score(a, b, average="macro"))
    assert foreground_iou(matrix) == pytest.approx(jaccard_score(a > 0, b > 0))
    assert foreground_iou(matrix, background=2) == pytest.approx(jaccard_score(a != 2, b != 2))
    assert pixel_accuracy(matrix) == pytest.approx(accuracy_score(a, b))


def test_matrices_add_up():
    truth, predicted = maps()
    parts = sum(confusion(t, p, 4) for t, p in zip(truth, predicted, strict=True))
    np.testing.assert_array_equal(parts, confusion(truth, predicted, 4))


def test_ignored_pixels_do_not_count():
    truth, predicted = maps()
    masked = np.where(truth == 3, 255, truth)
    np.testing.assert_array_equal(
        confusion(masked, predicted, 4), confusion(truth, predicted, 4) * [[1], [1], [1], [0]]
    )
    assert confusion(truth, predicted, 4, ignore_index=3).sum() == (truth != 3).sum()


def test_absent_classes_are_left_out():
    matrix = confusion(np.array([[0, 1]]), np.array([[0, 1]]), 5)
    assert np.isnan(iou(matrix)[2:]).all() and np.isnan(dice(matrix)[2:]).all()
    assert mean_iou(matrix) == mean_dice(matrix) == 1
    empty = confusion(np.full((2, 2), 255), np.zeros((2, 2)), 3)
    assert all(np.isnan(score(empty)) for score in (mean_iou, mean_dice, foreground_iou, pixel_accuracy))


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"shape \(1, 2\), the prediction \(2,\)"):
        confusion(np.zeros((1, 2)), np.zeros(2), 2)
    with pytest.raises(ValueError, match="prediction has codes 0 … 2, but there are 2"):
        confusion(np.zeros(2), np.array([0, 2]), 2)
