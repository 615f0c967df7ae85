"""Splits: a partition of the rows, every class learned, groups and times kept apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.data import Dataset, Split, load, profile, split
from netwright.errors import InputError
from tests.data.bad_inputs import images


def table(y: object, **columns: object) -> pd.DataFrame:
    rows = len(y)  # type: ignore[arg-type]
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=rows), **columns, "y": y})


def drawn(dataset: Dataset, seed: int = 0, task: str | None = None, **options: object) -> Split:
    return split(dataset, profile(dataset, task), seed=seed, **options)  # type: ignore[arg-type]


def assert_partition(parts: Split, rows: int) -> None:
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert len(together) == rows and (np.sort(together) == np.arange(rows)).all()
    assert min(len(parts.train), len(parts.validation), len(parts.test)) > 0


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=6).filter(lambda c: sum(c) >= 2 * len(c) + 10),
    seed=st.integers(0, 5),
    fraction=st.floats(0.05, 0.5),
)
def test_by_class(counts: list[int], seed: int, fraction: float) -> None:
    y = np.repeat([f"c{i}" for i in range(len(counts))], counts)
    dataset = load(table(np.random.default_rng(seed).permutation(y)), target="y")
    parts = drawn(dataset, seed, test_fraction=fraction)
    assert_partition(parts, len(y))
    assert set(dataset.target.iloc[parts.train]) == set(y), "every class is learned"
    share = round(len(y) * fraction) / len(y)
    for label, count in zip(dict.fromkeys(y), counts, strict=True):
        tested = (dataset.target.iloc[parts.test] == label).sum()
        assert tested <= count * share + 1, "no class is over-represented by more than a row"
        assert tested >= min(count * share, count - 1) - 1


@settings(max_examples=40, deadline=None)
@given(groups=st.lists(st.integers(0, 12), min_size=40, max_size=120), seed=st.integers(0, 3))
def test_groups_never_cross(groups: list[int], seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, 2, len(groups))
    dataset = load(table(np.where(y, "yes", "no"), site=[f"s{g}" for g in groups]), target="y", group="site")
    try:
        parts = drawn(dataset, seed)
    except InputError as error:
        assert len(set(groups)) < 6, error  # few groups may be impossible to divide
        return
    assert_partition(parts, len(groups))
    site = dataset.column("site").to_numpy()
    sets = [set(site[rows]) for rows in (parts.train, parts.validation, parts.test)]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    assert set(y[parts.train]) == set(y)


def test_groups_reach_the_wanted_sizes_and_classes() -> None:
    rng = np.random.default_rng(0)
    site = rng.integers(0, 200, 4000)
    y = (rng.random(4000) < 0.1 + 0.3 * (site % 2)).astype(int)
    parts = drawn(load(table(y, site=site), target="y", group="site"))
    assert abs(len(parts.test) - 800) < 40 and abs(len(parts.validation) - 640) < 40
    assert abs(y[parts.test].mean() - y.mean()) < 0.02


@settings(max_examples=40, deadline=None)
@given(times=st.lists(st.integers(0, 300), min_size=30, max_size=120).filter(lambda t: len(set(t)) > 12))
def test_time(times: list[int]) -> None:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(times, "D")
    y = np.random.default_rng(0).normal(size=len(times))
    dataset = load(table(y, day=days.strftime("%Y-%m-%d")), target="y", time_column="day")
    try:
        parts = drawn(dataset, task="regression")
    except InputError as error:
        assert "different times" in str(error)
        assert pd.Series(times).value_counts().iloc[0] > 0.15 * len(times), "only ties can stand in the way"
        return
    assert_partition(parts, len(times))
    when = np.array(times)
    assert when[parts.train].max() < when[parts.validation].min()
    assert when[parts.validation].max() < when[parts.test].min()


def test_default_sizes_and_how() -> None:
    parts = drawn(load("digits"))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (1150, 288, 359)
    assert "stratified by class" in parts.how and "seed 0" in parts.how
    quarter = drawn(load("digits"), test_fraction=0.25)
    assert len(quarter.test) == 449
    big = table(np.random.default_rng(0).normal(size=80_000))
    assert len(drawn(load(big, target="y")).validation) == 4_000


def test_regression_is_stratified() -> None:
    dataset = load("diabetes")
    y = dataset.target.to_numpy()
    for seed in range(5):
        parts = drawn(dataset, seed)
        assert_partition(parts, len(y))
        assert abs(y[parts.test].mean() - y.mean()) < 0.1 * y.std()


def test_seeds() -> None:
    dataset = load("iris")
    first, again, other = drawn(dataset, 1), drawn(dataset, 1), drawn(dataset, 2)
    assert (first.train == again.train).all() and (first.test == again.test).all()
    assert not np.array_equal(first.test, other.test)


def test_own_test_part_is_left_alone() -> None:
    data = table(["a", "b"] * 30)
    dataset = load(data, target="y", test=data.iloc[:7])
    parts = drawn(dataset)
    assert parts.own_test and (parts.test == np.arange(7)).all() and "own" in parts.how
    assert sorted([*parts.train, *parts.validation]) == list(range(60))
    train, validation, test = parts.parts(dataset)
    assert len(test) == 7 and len(train) + len(validation) == 60
    assert {"duplicates-across-parts"} == {w.id for w in parts.warnings}


@pytest.mark.parametrize("kind", ["table", "array", "files", "text"])
def test_duplicates_across_parts_are_seen(kind: str, tmp_path) -> None:
    y = ["a", "b"] * 20
    if kind == "table":
        dataset = load(pd.concat([table(y), table(y)], ignore_index=True), target="y")
    elif kind == "array":
        x = np.random.default_rng(0).random((40, 4, 4))
        dataset = load((np.concatenate([x, x]), y * 2))
    elif kind == "text":
        dataset = load(([f"text {i % 40}" for i in range(80)], y * 2))
    else:
        images(tmp_path / "once", {"a": 20, "b": 20})
        images(tmp_path / "once" / "a" / "again", {"a": 20})  # the same generator: the same first images
        dataset = load(tmp_path / "once")
    warned = [w for w in drawn(dataset).warnings if w.id == "duplicates-across-parts"]
    assert {w.where for w in warned} == {"validation part", "test part"}
    once = load(table(["a", "b"] * 40), target="y")
    assert drawn(once).warnings == []


def test_identifiers_do_not_hide_duplicates() -> None:
    data = pd.concat([table(["a", "b"] * 20)] * 2, ignore_index=True).assign(id=range(80))
    assert any(w.id == "duplicates-across-parts" for w in drawn(load(data, target="y")).warnings)


def test_groups_and_times_in_an_own_test_part_are_said() -> None:
    data = table(["a", "b"] * 30, site=[f"s{i % 10}" for i in range(60)])
    grouped = drawn(load(data, target="y", group="site", test=data.iloc[:5].assign(x=9.0)))
    assert "group-in-test" in {w.id for w in grouped.warnings}
    data = table(["a", "b"] * 30, day=range(60))
    timed = drawn(load(data, target="y", time_column="day", test=data.iloc[30:].assign(x=9.0)))
    assert "time-in-test" in {w.id for w in timed.warnings}


def test_a_class_that_is_not_tested_is_said() -> None:
    y = ["a"] * 30 + ["b"] * 30 + ["c"]
    warned = {w.id: w.message for w in drawn(load(table(y), target="y")).warnings}
    assert "c" in warned["untested-class"]


@pytest.mark.parametrize("fraction", [0.0, -0.1, 0.95, 2.0])
def test_fractions(fraction: float) -> None:
    with pytest.raises(InputError, match="between 0 and"):
        drawn(load("iris"), test_fraction=fraction)
