"""Baselines: right on data where the answer is known, fitted on nothing but the rows that they may see."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import Ridge

from netwright.tasks import Task, baselines, best_baseline, run_baselines
from netwright.tasks.image_baselines import Pixels, channels_first, pooled_size
from netwright.tasks.table_baselines import as_date_parts, as_levels, as_numbers, guess_kinds
from netwright.tasks.text_baselines import has_words

KINDS = {"x": "numeric", "day": "date", "colour": "categorical", "id": "identifier", "words": "text"}


def table(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A number, a date, a colour and what is to be left out; the target is of the first three."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, size=rows), unit="D")
    colour = rng.choice(["red", "green", "blue"], size=rows)
    target = 3 * x + (day - pd.Timestamp("2020-01-01")).days / 100 + 5 * (colour == "red")
    frame = pd.DataFrame({"x": x, "day": day, "colour": colour, "id": np.arange(rows), "words": "a b"})
    frame.loc[::17, "x"] = np.nan
    frame.loc[::19, "colour"] = None
    return frame, np.asarray(target)


def parts(rows: int = 400) -> tuple:
    train, validation, test = table(rows, 0), table(rows // 4, 1), table(rows // 4, 2)
    return train[0], train[1], validation[0], validation[1], test[0], test[1]


def test_tables_of_numbers_to_predict():
    *given, truth = parts()
    task = Task.of("regression")
    results = run_baselines("table", task, *given, KINDS)
    assert [result.name for result in results] == ["mean", "linear", "trees"]
    scores = {result.name: task.score(truth, result.test_output) for result in results}
    assert scores["mean"] == pytest.approx(np.std(truth), rel=0.1)
    assert scores["linear"] < 0.35 * scores["mean"]  # every 17th x is missing, and stays unknown
    assert scores["trees"] < 0.5 * scores["mean"]
    assert all("text columns left out: words" in result.note for result in results[1:])
    assert all("training and validation rows together" in result.note for result in results)
    assert best_baseline(task, given[3], results).name == "linear"


def test_tables_of_two_classes():
    *given, truth = parts()
    given[1], given[3], truth = (np.asarray(target > 5, dtype=int) for target in (given[1], given[3], truth))
    task = Task.of("binary", classes=("low", "high"))
    results = run_baselines("table", task, *given, KINDS)
    scores = {result.name: task.score(truth, result.test_output) for result in results}
    assert scores["majority"] == 0.5
    assert min(scores["linear"], scores["trees"]) > 0.93
    for result in results:
        assert result.test_output.shape == (100, 2)
        assert result.test_output.sum(1) == pytest.approx(1)
    assert results[0].validation_output[0, 1] == pytest.approx(given[1].mean())
    assert "C = " in results[1].note


def test_the_same_seed_gives_the_same():
    *given, _ = parts(200)
    once, again = (run_baselines("table", Task.of("regression"), *given, KINDS, seed=3) for _ in range(2))
    for a, b in zip(once, again, strict=True):
        assert np.array_equal(a.validation_output, b.validation_output)
        assert np.array_equal(a.test_output, b.test_output)


def test_validation_scores_see_the_training_part_only():
    """Another validation target changes the refitted model, not the first fit of a baseline without choices."""
    *given, _ = parts(200)
    task = Task.of("regression")
    before = run_baselines("table", task, *given, KINDS)
    given[3] = given[3] + 100
    after = run_baselines("table", task, *given, KINDS)
    for name in (0, 1):
        assert np.array_equal(before[name].validation_output, after[name].validation_output)
        assert not np.allclose(before[name].test_output, after[name].test_output)


def test_unseen_levels_missing_columns_and_infinities():
    *given, _ = parts(200)
    given[4] = given[4].assign(colour="violet", x=np.inf, day=pd.NaT)
    given[0] = given[0].assign(empty=np.nan)
    given[2] = given[2].assign(empty=np.nan)
    given[4] = given[4].assign(empty=1.0)
    results = run_baselines("table", Task.of("regression"), *given, {**KINDS, "empty": "numeric"})
    assert all(np.isfinite(result.test_output).all() for result in results)


def test_many_levels():
    rng = np.random.default_rng(0)
    levels = rng.choice([f"level {number}" for number in range(700)], size=1500)
    frame, target = pd.DataFrame({"level": levels}), rng.normal(size=1500)
    given = (frame[:1000], target[:1000], frame[1000:1250], target[1000:1250], frame[1250:])
    results = run_baselines("table", Task.of("regression"), *given, {"level": "categorical"})
    assert [result.name for result in results] == ["mean", "linear", "trees"]


def test_a_table_without_a_usable_column_has_the_trivial_baseline():
    *given, _ = parts(100)
    results = run_baselines("table", Task.of("regression"), *given, {"id": "identifier"})
    assert [result.name for result in results] == ["mean"]


def test_a_class_that_training_lacks_gets_a_column():
    *given, _ = parts(120)
    given[1], given[3] = np.arange(120) % 2, np.arange(30) % 3
    results = run_baselines("table", Task.of("multiclass", classes="abc"), *given, KINDS)
    for result in results:
        assert result.validation_output.shape == result.test_output.shape == (30, 3)
        assert (result.validation_output[:, 2] == 0).all()
        assert result.test_output[:, 2].max() > 0  # the second fit has seen it


def test_a_class_of_one_row():
    *given, _ = parts(2400)
    given[1] = np.r_[[2], np.arange(2399) % 2]
    given[3] = np.arange(600) % 2
    results = run_baselines("table", Task.of("multiclass", classes="abc"), *given, KINDS)
    assert results[-1].test_output.shape == (600, 3)


def test_columns():
    frame, _ = table(40, 0)
    kinds = {"x": "numeric", "day": "date", "colour": "categorical", "id": "numeric", "words": "categorical"}
    assert guess_kinds(frame) == kinds
    assert guess_kinds(pd.DataFrame({"flag": [True, False]})) == {"flag": "categorical"}
    dates = pd.DataFrame({"day": ["1970-01-02 06:00", None]})
    assert as_date_parts(dates)[0].tolist() == [1.25, 1, 4, 6]
    assert np.isnan(as_date_parts(dates)[1]).all()
    numbers = as_numbers(pd.DataFrame({"a": ["1.5", "many"], "b": [np.inf, 2]}))
    assert np.array_equal(numbers, [[1.5, np.nan], [np.nan, 2]], equal_nan=True)
    assert as_levels(pd.DataFrame({"a": [1, None]}, dtype=object)).tolist() == [["1"], ["(missing)"]]


def test_ridge_on_diabetes_is_scikit_learns():
    """The linear baseline of a plain numeric table is a standardised ridge."""
    data = load_diabetes(as_frame=True)
    x, y = data.data, data.target.to_numpy()
    kinds = dict.fromkeys(x, "numeric")
    parts = (x[:250], y[:250], x[250:350], y[250:350], x[350:])
    result = run_baselines("table", Task.of("regression"), *parts, kinds)[1]
    mean, deviation = x[:350].mean(), x[:350].std(ddof=0)
    known = [
        Ridge(alpha).fit((x[:350] - mean) / deviation, y[:350]).predict((x[350:] - mean) / deviation)
        for alpha in np.logspace(-3, 5, 25)
    ]
    assert min(np.abs(result.test_output - each).max() for each in known) < 1e-6


def test_digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    x, y = data.images[order], data.target[order]
    task = Task.of("multiclass", classes=range(10))
    results = run_baselines("image", task, x[:1100], y[:1100], x[1100:1400], y[1100:1400], x[1400:])
    scores = {result.name: task.score(y[1400:], result.test_output) for result in results}
    assert scores["majority"] < 0.2
    assert scores["linear"] > 0.94
    assert scores["trees"] > 0.94
    assert sum(result.seconds for result in results) < 30  # about 2 on a free core


def test_images_to_numbers():
    rng = np.random.default_rng(0)
    images = rng.random((300, 3, 20, 20), dtype=np.float32)
    images[:, 1] += rng.random((300, 1, 1), dtype=np.float32)
    target = images[:, 1].mean((1, 2)).astype(float)
    task = Task.of("regression")
    parts = (images[:200], target[:200], images[200:250], target[200:250], images[250:])
    results = run_baselines("image", task, *parts)
    scores = [task.score(target[250:], result.test_output) for result in results]
    assert scores[1] < 0.2 * scores[0]
    assert "images averaged from 20×20 to 18×18 pixels" in results[1].note
    assert "images averaged from 20×20 to 9×9 pixels" in results[2].note


def test_pixels():
    """Averages keep the mean; the layouts agree; nothing is averaged that fits."""
    images = np.random.default_rng(0).integers(0, 256, size=(5, 3, 30, 60), dtype=np.uint8)
    assert pooled_size(images, 256) == (6, 13)
    assert pooled_size(images[:, :1, :8, :8], 64) == (8, 8)
    pixels = Pixels(2 * 18).fit(images).transform(images)
    assert pixels.shape == (5, 3 * 2 * 4)
    assert np.array_equal(pixels, Pixels(36).fit(images).transform(images.transpose(0, 2, 3, 1)))
    whole = Pixels(10_000).fit(images).transform(images)
    assert whole.shape == (5, 5400)
    assert (whole.mean(), whole.std()) == pytest.approx((0, 1), abs=1e-4)
    assert channels_first(images[:, 0]).shape == (5, 1, 30, 60)
    constant = np.zeros((4, 6, 6))
    assert np.isfinite(Pixels(100).fit(constant).transform(constant)).all()


def texts(rows: int, seed: int) -> tuple[list[str], np.ndarray]:
    """The word "not" before "good" turns the label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=rows)
    filler = np.array(
        ["the", "food", "was", "here", "and", "there", "with", "some", "tea", "for", "a", "while", "in", "town"]
    )
    return [
        " ".join([*rng.choice(filler, 6), "good" if label else "not good", *rng.choice(filler, 3)]) for label in labels
    ], labels


def test_text():
    train, validation, test = texts(600, 0), texts(100, 1), texts(100, 2)
    task = Task.of("binary", classes=("bad", "good"))
    results = run_baselines("text", task, *train, *validation, test[0])
    assert [result.name for result in results] == ["majority", "linear", "trees"]
    scores = [task.score(test[1], result.test_output) for result in results]
    assert scores[0] == 0.5
    assert min(scores[1:]) > 0.95
    assert "words and pairs of words" in results[1].description


def test_text_to_numbers():
    train, validation, test = texts(300, 0), texts(60, 1), texts(60, 2)
    task = Task.of("regression")
    given = (train[0], 10.0 * train[1], validation[0], 10.0 * validation[1], test[0])
    results = run_baselines("text", task, *given)
    assert task.score(10 * test[1], results[1].test_output) < 0.3 * task.score(10 * test[1], results[0].test_output)
    assert "alpha = " in results[1].note


@pytest.mark.parametrize("text", ["好吃", "", "!!!", "x"])
def test_text_without_words(text):
    """Characters where spaces part no words; and nothing to learn from is no failure."""
    many = [text + "不" * (index % 2) for index in range(40)]
    labels = np.arange(40) % 2
    task = Task.of("binary", classes=(0, 1))
    results = run_baselines("text", task, many, labels, many, labels, many)
    assert task.score(labels, results[1].test_output) == 1.0


def test_where_words_are():
    assert has_words(["a few words here", "and more"])
    assert not has_words(["这家餐厅的菜很好吃我们还会再来的因为服务也很好", "价格不贵而且环境很安静适合家人一起来"])


def test_rows_beyond_the_most_are_drawn_by_chance(monkeypatch):
    monkeypatch.setattr(baselines, "MOST_ROWS", 150)
    *given, truth = parts(400)
    results = run_baselines("table", Task.of("regression"), *given, KINDS)
    assert "fitted on 150 rows drawn by chance" in results[1].note
    assert results[1].test_output.shape == truth.shape


def test_the_best_is_chosen_on_validation():
    task = Task.of("binary", classes=(0, 1))
    truth = np.array([0, 1, 0, 1])

    def result(name: str, right: int) -> baselines.BaselineResult:
        codes = np.where(np.arange(4) < right, truth, 1 - truth)
        return baselines.BaselineResult(name, "", np.eye(2)[codes], np.eye(2)[truth], 0.0, "")

    chosen = best_baseline(task, truth, [result("a", 2), result("b", 3), result("c", 1), result("d", 3)])
    assert chosen.name == "b"


def test_an_unknown_modality():
    with pytest.raises(ValueError, match="'sound' is not a modality"):
        run_baselines("sound", Task.of("regression"), [], np.zeros(0), [], np.zeros(0), [])
