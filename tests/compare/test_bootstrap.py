"""Intervals agree with theory, cover as often as they say, and come out the same for the same seed."""

import time

import numpy as np
import pytest

from netwright.compare import Interval, interval, paired_difference
from netwright.tasks import METRICS

Z = 1.959964


def labels(right: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and predicted codes of which the first `right` are right."""
    truth = np.arange(rows) % 3
    return truth, np.where(np.arange(rows) < right, truth, (truth + 1) % 3)


def test_accuracy_agrees_with_the_binomial():
    """p ± z·√(p(1 − p)/n)."""
    truth, predicted = labels(850, 1000)
    found = interval(METRICS["accuracy"], truth, predicted, resamples=4000)
    half = Z * np.sqrt(0.85 * 0.15 / 1000)
    assert found.score == 0.85
    assert (found.low, found.high) == pytest.approx((0.85 - half, 0.85 + half), abs=0.003)


def test_mean_absolute_error_agrees_with_the_normal():
    rng = np.random.default_rng(0)
    errors = rng.exponential(size=2000)
    found = interval(METRICS["mae"], np.zeros(2000), errors, resamples=4000)
    half = Z * errors.std() / np.sqrt(2000)
    assert (found.low, found.high) == pytest.approx((errors.mean() - half, errors.mean() + half), abs=0.15 * half)


def test_auc_agrees_with_hanley_and_mcneil():
    """Their standard error (1982) for exponential scores: Q1 = A/(2 − A), Q2 = 2A²/(1 + A)."""
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], 500)
    score = rng.exponential(np.where(truth == 1, 3.0, 1.0))
    found = interval(METRICS["auc"], truth, score, resamples=2000)
    a = found.score
    variance = (a * (1 - a) + 499 * (a / (2 - a) - a**2) + 499 * (2 * a**2 / (1 + a) - a**2)) / 500**2
    assert (found.high - found.low) / 2 == pytest.approx(Z * np.sqrt(variance), rel=0.1)


def test_paired_difference_agrees_with_the_normal():
    """Of paired right-and-wrong, the difference has variance (b + c − (b − c)²/n)/n²: McNemar's cells."""
    rows = 1000
    truth = np.zeros(rows, dtype=int)
    a = (np.arange(rows) < 100).astype(int)  # wrong on 0 … 99
    b = ((np.arange(rows) >= 60) & (np.arange(rows) < 200)).astype(int)  # wrong on 60 … 199
    found = paired_difference(METRICS["accuracy"], truth, a, b, resamples=4000)
    only_a, only_b = 60, 100
    variance = (only_a + only_b - (only_a - only_b) ** 2 / rows) / rows**2
    assert found.score == pytest.approx(0.04)
    assert (found.low, found.high) == pytest.approx(
        (0.04 - Z * np.sqrt(variance), 0.04 + Z * np.sqrt(variance)), abs=0.003
    )
    assert found.excludes_zero


def test_pairing_narrows_the_difference():
    """Two that err on nearly the same rows are told apart, though their own intervals overlap."""
    truth, _ = labels(0, 1000)
    a, b = labels(800, 1000)[1], labels(815, 1000)[1]
    alone = [interval(METRICS["accuracy"], truth, predicted) for predicted in (a, b)]
    assert alone[0].high > alone[1].low
    assert paired_difference(METRICS["accuracy"], truth, a, b).high < 0


def test_the_difference_is_antisymmetric():
    rng = np.random.default_rng(0)
    truth, a, b = rng.normal(size=(3, 200))
    for name in ("rmse", "mae", "r2"):
        forth, back = (paired_difference(METRICS[name], truth, *pair, resamples=500) for pair in ((a, b), (b, a)))
        assert (forth.score, forth.low, forth.high) == pytest.approx((-back.score, -back.high, -back.low))


def test_with_itself_the_difference_is_zero():
    truth, predicted = labels(80, 100)
    assert paired_difference(METRICS["accuracy"], truth, predicted, predicted) == Interval(0.0, 0.0, 0.0)


def test_the_interval_covers_as_often_as_it_says():
    """400 samples of 100 rows from a known accuracy: 95 % of the intervals hold it, give or take."""
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        predicted = (rng.random(100) > 0.75).astype(int)
        found = interval(METRICS["accuracy"], np.zeros(100, dtype=int), predicted, resamples=400, seed=trial)
        covered += found.low <= 0.75 <= found.high
    assert 0.91 <= covered / 400 <= 0.98


def test_equal_networks_are_seldom_told_apart():
    rng = np.random.default_rng(0)
    apart = 0
    for trial in range(300):
        truth, a, b = rng.normal(size=(3, 80))
        apart += paired_difference(METRICS["mae"], truth, a, b, resamples=400, seed=trial).excludes_zero
    assert apart / 300 <= 0.10


def test_the_seed_decides():
    truth, predicted = labels(70, 100)
    metric = METRICS["balanced_accuracy"]
    assert interval(metric, truth, predicted, seed=1) == interval(metric, truth, predicted, seed=1)
    assert interval(metric, truth, predicted, seed=1) != interval(metric, truth, predicted, seed=2)


def test_perfect_accuracy_is_not_certainty():
    """Wilson: 360 of 360 right is 0.989 at least, with 95 % confidence."""
    truth, predicted = labels(360, 360)
    found = interval(METRICS["accuracy"], truth, predicted)
    assert (found.low, found.high) == (pytest.approx(360 / (360 + Z**2), abs=1e-6), 1.0)
    never = interval(METRICS["accuracy"], *labels(0, 360))
    assert (never.low, never.high) == (0.0, pytest.approx(1 - found.low))


def test_resamples_without_a_class_are_left_out():
    """One positive in eight rows: a third of the resamples have none."""
    truth = np.array([1, 0, 0, 0, 0, 0, 0, 0])
    score = np.array([0.8, 0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = interval(METRICS["auc"], truth, score)
    assert 0 < found.low < found.score < found.high == 1.0
    undefined = interval(METRICS["auc"], np.zeros(8, dtype=int), score)
    assert np.isnan([undefined.score, undefined.low, undefined.high]).all()
    assert not undefined.excludes_zero


@pytest.mark.parametrize("name", ["rmse", "auc", "accuracy"])
def test_large_test_parts_are_quick(name):
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=13_500)
    output = rng.random(13_500) if name != "accuracy" else rng.integers(2, size=13_500)
    start = time.process_time()
    interval(METRICS[name], truth, output)
    assert time.process_time() - start < 6  # about 2 on a free core
