"""The Profile: kinds of columns, the task and why, warnings."""

import json

import numpy as np
import pandas as pd
import pytest

from netwright.data import Profile, load, profile
from netwright.errors import InputError
from tests.data.bad_inputs import good

N = 200
DAY = pd.Timestamp("2024-01-01")
RNG = np.random.default_rng(0)


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"x": RNG.normal(size=N), **columns, "y": RNG.integers(0, 2, N)})


def ids(found: Profile, where: str = "") -> set[str]:
    return {warning.id for warning in found.warnings if where in warning.where}


DAYS = pd.date_range("2020-01-31", periods=N, freq="37h")
KINDS = {
    "numeric": RNG.normal(size=N),
    "integer": RNG.integers(0, 50, N),
    "boolean": RNG.integers(0, 2, N).astype(bool),
    "zero_one": RNG.integers(0, 2, N),
    "flag": RNG.choice(["true", "false"], N),
    "city": RNG.choice(["a", "b", "c"], N),
    "iso": DAYS.strftime("%Y-%m-%d"),
    "moment": DAYS.strftime("%Y-%m-%dT%H:%M:%S"),
    "german": DAYS.strftime("%d.%m.%Y"),
    "american": DAYS.strftime("%m/%d/%Y %H:%M"),
    "words": DAYS.strftime("%b %d, %Y"),
    "stamp": DAYS,
    "customer_id": RNG.permutation(N) * 7 + 100_000,
    "CustomerID": RNG.permutation(N) * 3,
    "uuid": [f"{i * 7919:08x}-{i:04x}" for i in range(N)],
    "row": np.arange(N),
    "name": [f"Person {i}" for i in range(N)],
    "review": [f"this thing number {i} was good and I liked it" for i in range(N)],
    "japanese": [f"これはとても良い本です{i}" for i in range(N)],
    "constant": ["same"] * N,
    "missing": [None] * N,
    "mark": ["?" if i % 40 == 0 else str(i * 1.5) for i in range(N)],
}
EXPECTED = {
    "numeric": "numeric",
    "integer": "numeric",
    "boolean": "boolean",
    "zero_one": "boolean",
    "flag": "boolean",
    "city": "categorical",
    "iso": "date",
    "moment": "date",
    "german": "date",
    "american": "date",
    "words": "date",
    "stamp": "date",
    "customer_id": "identifier",
    "CustomerID": "identifier",
    "uuid": "identifier",
    "row": "identifier",
    "name": "identifier",
    "review": "text",
    "japanese": "text",
    "constant": "constant",
    "missing": "missing",
    "mark": "numeric",
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    column = profile(load(frame(**{name: KINDS[name]}), target="y")).column(name)
    assert column.kind == EXPECTED[name], column.reason
    assert column.reason and column.used == (column.kind in ("numeric", "boolean", "date", "categorical"))


def test_kinds_can_be_overridden() -> None:
    dataset = load(frame(zip=RNG.integers(1000, 1020, N)), target="y")
    assert profile(dataset).column("zip").kind == "numeric"
    assert profile(dataset, kinds={"zip": "categorical"}).column("zip").kind == "categorical"
    with pytest.raises(InputError, match="there is no kind 'number'"):
        profile(dataset, kinds={"zip": "number"})


@pytest.mark.parametrize(
    ("target", "task", "reason"),
    [
        (["a", "b"] * 100, "binary", "2 different labels"),
        (["a", "b", "c", "d"] * 50, "multiclass", "4 different labels"),
        ([True, False] * 100, "binary", "labels"),
        ([0.0, 1.0] * 100, "binary", "two values, 0, 1"),
        (list(range(10)) * 20, "multiclass", "--task regression"),
        (list(range(100)) * 2, "regression", "--task multiclass"),
        (list(np.linspace(0, 1, 10)) * 20, "regression", "fractions"),
    ],
)
def test_task(target: list, task: str, reason: str) -> None:
    found = profile(load(frame().assign(y=target), target="y"))
    assert found.task == task and reason in found.task_reason


def test_many_numbered_classes_of_images() -> None:
    dataset = load((np.zeros((600, 4, 4)), np.arange(600) % 60))
    assert profile(dataset).task == "multiclass" and profile(dataset).num_classes == 60
    assert profile(dataset, "regression").task == "regression"


@pytest.mark.parametrize("task", ["multiclass", "classification", "regression"])
def test_task_as_asked(task: str) -> None:
    found = profile(load(frame().assign(y=list(range(10)) * 20), target="y"), task)
    assert found.task == ("regression" if task == "regression" else "multiclass")
    assert found.task_reason == "as asked"


def test_labels_are_plain() -> None:
    found = profile(load(frame().assign(y=[2.0, 1.0, 3.0, 1.0] * 50), target="y"))
    assert found.target["labels"] == [1, 2, 3] and found.target["counts"] == [100, 50, 50]
    assert all(type(label) is int for label in found.target["labels"])


def test_json_round_trip() -> None:
    text = load(([f"word {i % 9} here" for i in range(30)], ["a", "b", "c"] * 10))
    for dataset in (load(frame(**KINDS), target="y"), load("digits"), load("diabetes"), text):
        found = profile(dataset)
        assert Profile.from_json(json.dumps(found.to_json())) == found


def test_clean_data_give_no_warnings() -> None:
    assert ids(profile(load(frame(city=KINDS["city"]), target="y"))) == set()


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_no_leak_is_seen_where_none_is(name: str) -> None:
    assert ids(profile(load(name))) <= {"few-rows"}


@pytest.mark.parametrize(
    ("task", "column", "id"),
    [
        ("binary", lambda y: y * 2.0 + RNG.random(N), "leakage"),
        ("binary", lambda y: np.where(y == 1, "granted", "refused"), "leakage"),
        ("binary", lambda y: np.where(y == 1, RNG.normal(size=N), np.nan), "leakage"),
        ("binary", lambda y: DAY + pd.to_timedelta(y * 400 + RNG.integers(0, 99, N), "D"), "leakage"),
        ("binary", lambda y: y, "target-copy"),
        ("regression", lambda y: y * 1.2 + 7, "leakage"),
        ("regression", lambda y: np.exp(y), "leakage"),
        ("regression", lambda y: y, "target-copy"),
    ],
)  # fmt: skip
def test_leaks(task: str, column, id: str) -> None:
    y = RNG.integers(0, 2, N) if task == "binary" else RNG.normal(size=N)
    found = profile(load(pd.DataFrame({"x": RNG.normal(size=N), "later": column(y), "y": y}), target="y"))
    assert id in ids(found, "column later"), found.warnings
    assert not ids(found, "column x")
    assert "--drop later" in next(w.fix for w in found.warnings if w.id == id)


def test_a_categorical_leak_of_a_number() -> None:
    codes = RNG.integers(0, 30, 2000)
    data = pd.DataFrame({"x": RNG.normal(size=2000), "code": [f"c{c}" for c in codes], "y": codes * 10.5})
    assert "leakage" in ids(profile(load(data, target="y")), "column code")


def test_warnings_of_columns() -> None:
    some = {name: KINDS[name] for name in ("uuid", "constant", "missing", "review", "stamp", "mark")}
    found = profile(load(frame(**some), target="y"))
    assert ids(found, "column uuid") == {"identifier"}
    assert ids(found, "column constant") == {"constant"}
    assert ids(found, "column missing") == {"all-missing"}
    assert ids(found, "column review") == {"text-column"}
    assert ids(found, "column stamp") == {"time-order"}
    assert ids(found, "column mark") == {"numbers-as-text"}
    half = profile(load(frame(gaps=np.where(np.arange(N) % 3, np.nan, RNG.normal(size=N))), target="y"))
    assert ids(half, "column gaps") == {"mostly-missing"}
    many = [f"k{i % 1500}" for i in range(2000)]
    data = pd.DataFrame({"x": RNG.normal(size=2000), "many": many, "y": RNG.integers(0, 2, 2000)})
    assert "near-unique" in ids(profile(load(data, target="y")), "column many")


def test_many_columns_share_a_warning() -> None:
    found = profile(load(frame(**{f"c{i}": ["same"] * N for i in range(30)}), target="y"))
    (warning,) = (w for w in found.warnings if w.id == "constant")
    assert warning.where == "30 columns" and "c0, c1" in warning.message


def test_ambiguous_dates() -> None:
    early = pd.date_range("2024-01-01", periods=12, freq="MS").strftime("%d/%m/%Y").tolist()
    found = profile(load(frame(day=(early * 17)[:N]), target="y"))
    assert found.column("day").format == "%d/%m/%Y" and "ambiguous-date" in ids(found, "day")
    clear = DAYS.strftime("%m/%d/%Y")
    found = profile(load(frame(day=clear), target="y"))
    assert found.column("day").format == "%m/%d/%Y" and "ambiguous-date" not in ids(found)


def test_warnings_of_the_target() -> None:
    labels = ["common"] * 150 + ["other"] * 40 + ["Other "] * 7 + ["rare"] * 3
    found = profile(load(frame().assign(y=RNG.permutation(labels)), target="y"))
    assert {"imbalance", "rare-class", "similar-classes"} <= ids(found, "target")
    skewed = profile(load(frame().assign(y=np.exp(2 * RNG.normal(size=N))), target="y"))
    assert "skewed-target" in ids(skewed)
    few = profile(load(good(40), target="label"))
    assert "few-rows" in ids(few)


def test_row_order() -> None:
    drift = profile(load(frame().assign(y=np.arange(N) + RNG.normal(size=N) * 30), target="y"))
    assert "row-order" in ids(drift)
    share = np.arange(N) / N
    classes = profile(load(frame().assign(y=(RNG.random(N) < share).astype(int)), target="y"))
    assert "row-order" in ids(classes)
    assert "row-order" not in ids(profile(load(frame().assign(y=np.arange(N) // 100), target="y"))), "sorted"


def test_text_profile() -> None:
    texts = ["one two three", "", "one two", "北京大学"] * 10
    found = profile(load((texts, ["a", "b"] * 20))).text
    assert found is not None
    assert found["lengths"]["max"] == 4 and found["lengths"]["min"] == 0 and found["empty"] == 10
    assert found["vocabulary"] == 7 and found["tokens"] == 90


def test_roles_show_in_the_profile() -> None:
    data = frame(year=np.arange(N) // 10, site=RNG.choice(list("abcdef"), N))
    found = profile(load(data, target="y", group="site", time_column="year"))
    assert found.column("year").kind == "identifier" and "site" not in [c.name for c in found.columns]
    assert found.features == ["x"]
