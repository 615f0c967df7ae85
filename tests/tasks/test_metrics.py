"""Metrics equal scikit-learn's, row weights included, and hold where classes are absent or scores tie."""

import numpy as np
import pytest
from sklearn import metrics as reference

from netwright.errors import InputError
from netwright.tasks import DEFAULT_METRICS, METRICS, metric_for, metrics_for


def sample(classes: int, rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities with many ties, and how often each row was drawn in five resamples."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    scores = np.round(rng.random((rows, classes)) + 0.5 * np.eye(classes)[truth], 1) + 0.05
    weights = np.stack([np.bincount(rng.integers(rows, size=rows), minlength=rows) for _ in range(5)])
    return truth, scores / scores.sum(1, keepdims=True), weights


REFERENCES = {
    "accuracy": lambda t, p, w: reference.accuracy_score(t, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda t, p, w: reference.balanced_accuracy_score(t, p.argmax(1), sample_weight=w),
    "f1_macro": lambda t, p, w: reference.f1_score(t, p.argmax(1), average="macro", sample_weight=w),
    "log_loss": lambda t, p, w: reference.log_loss(t, p, sample_weight=w),
    "auc": lambda t, p, w: np.mean(
        [
            reference.roc_auc_score(t == code, p[:, code], sample_weight=w)
            for code in ([1] if p.shape[1] == 2 else range(p.shape[1]))
        ]
    ),
    "rmse": lambda t, v, w: reference.mean_squared_error(t, v, sample_weight=w) ** 0.5,
    "mae": lambda t, v, w: reference.mean_absolute_error(t, v, sample_weight=w),
    "r2": lambda t, v, w: reference.r2_score(t, v, sample_weight=w),
}


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", metrics_for("multiclass"))
def test_classification_equals_scikit_learn(name, classes):
    truth, probabilities, weights = sample(classes)
    expected = [REFERENCES[name](truth, probabilities, row) for row in weights]
    assert METRICS[name].resampled(truth, probabilities, weights) == pytest.approx(expected)
    assert METRICS[name](truth, probabilities) == pytest.approx(
        REFERENCES[name](truth, probabilities, np.ones(len(truth)))
    )


@pytest.mark.parametrize("name", metrics_for("regression"))
def test_regression_equals_scikit_learn(name):
    rng = np.random.default_rng(0)
    truth = 1e6 + rng.normal(size=200)  # far from zero: R² must not lose its digits
    output = truth + 0.3 * rng.normal(size=200)
    weights = np.stack([np.bincount(rng.integers(200, size=200), minlength=200) for _ in range(4)])
    expected = [REFERENCES[name](truth, output, row) for row in weights]
    assert METRICS[name].resampled(truth, output, weights) == pytest.approx(expected, rel=1e-6)
    assert METRICS[name](truth, output[:, None]) == pytest.approx(METRICS[name](truth, output))


def test_multiclass_auc_is_scikit_learns_one_against_the_rest():
    truth, probabilities, _ = sample(4)
    expected = reference.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")
    assert METRICS["auc"](truth, probabilities) == pytest.approx(expected)


def test_auc_by_hand():
    """Of the four pairs two are right, one is tied, one is wrong."""
    score = np.array([[0.2, 0.8], [0.5, 0.5], [0.5, 0.5], [0.1, 0.9]])
    assert METRICS["auc"](np.array([1, 1, 0, 0]), score) == (0.5 + 1) / 4
    assert METRICS["auc"](np.array([1, 1, 0, 0]), score[:, 1]) == (0.5 + 1) / 4
    assert METRICS["auc"](np.array([1, 0]), np.full((2, 2), 0.5)) == 0.5


def test_absent_classes():
    """Class 2 has no rows; class 0 is predicted once where it is not."""
    truth = np.array([0, 1, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1], [0.2, 0.5, 0.3]])
    assert METRICS["balanced_accuracy"](truth, probabilities) == pytest.approx((1 + 2 / 3) / 2)
    assert METRICS["f1_macro"](truth, probabilities) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert METRICS["auc"](truth, probabilities) == 1.0
    assert np.isfinite(METRICS["log_loss"](truth, probabilities))
    predicted_only = np.array([[0.1, 0.1, 0.8], *probabilities[1:]])
    assert METRICS["f1_macro"](truth, predicted_only) == pytest.approx((0 + 4 / 5 + 0) / 3)


def test_one_class_alone_leaves_auc_undefined():
    assert np.isnan(METRICS["auc"](np.ones(3, dtype=int), np.full((3, 2), 0.5)))
    assert np.isnan(METRICS["r2"](np.ones(3), np.zeros(3)))


def test_a_class_never_seen_in_training_is_missed():
    truth = np.array([0, 1, 2])
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    assert METRICS["accuracy"](truth, probabilities) == pytest.approx(2 / 3)
    assert METRICS["balanced_accuracy"](truth, probabilities) == pytest.approx(2 / 3)
    assert METRICS["log_loss"](truth, probabilities) > 10


def test_log_loss_of_certain_mistakes_is_finite():
    assert METRICS["log_loss"](np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(36.04, abs=0.01)


def test_labels_suffice_where_they_do():
    truth, probabilities, _ = sample(3)
    for name in ("accuracy", "balanced_accuracy", "f1_macro"):
        metric = METRICS[name]
        assert metric(truth, probabilities.argmax(1)) == metric(truth, probabilities)
        assert metric.function(truth, probabilities.argmax(1), None) == metric(truth, probabilities)
    assert METRICS["auc"].function(truth, truth, probabilities) == METRICS["auc"](truth, probabilities)
    with pytest.raises(ValueError, match="needs probabilities"):
        METRICS["auc"].function(truth, truth, None)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 predictions for 3 rows"):
        METRICS["accuracy"](np.zeros(3, dtype=int), np.full((2, 2), 0.5))
    with pytest.raises(ValueError):
        METRICS["rmse"](np.zeros(3), np.zeros((3, 2)))


def test_defaults_and_names():
    assert DEFAULT_METRICS == {
        **{"binary": "auc", "multiclass": "accuracy", "regression": "rmse"},
        **{"segmentation": "miou", "detection": "ap50"},
    }
    assert metric_for("regression").name == "rmse"
    assert metric_for("binary", "F1-macro").name == "f1_macro"
    assert METRICS["rmse"].better(1.0, 2.0)
    assert METRICS["auc"].better(2.0, 1.0)
    with pytest.raises(InputError, match="did you mean accuracy"):
        metric_for("binary", "acuracy")
    with pytest.raises(InputError, match="'rmse' is not a metric of binary"):
        metric_for("binary", "rmse")
