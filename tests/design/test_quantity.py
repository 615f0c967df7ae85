"""Quantities as people write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.design import DesignError
from netwright.design.quantity import exact, human, parse

RIGHT = [
    ("200k", "count", 200_000),
    ("1.5M", "count", 1_500_000),
    ("1.5m", "count", 1_500_000),
    ("1G", "count", 10**9),
    ("2B", "count", 2 * 10**9),
    ("1e6", "count", 10**6),
    ("1_000", "count", 1000),
    (" 12 k ", "count", 12_000),
    (200_000, "count", 200_000),
    (2e5, "count", 200_000),
    ("5ms", "milliseconds", 5.0),
    ("0.5 s", "milliseconds", 500.0),
    (".5s", "milliseconds", 500.0),
    ("800us", "milliseconds", 0.8),
    ("800µs", "milliseconds", 0.8),
    ("800μs", "milliseconds", 0.8),  # the Greek letter, not the sign
    ("100MB", "bytes", 100_000_000),
    ("100mb", "bytes", 100_000_000),
    ("64MiB", "bytes", 64 * 2**20),
    ("1.5G", "bytes", 1_500_000_000),
    ("12B", "bytes", 12),
    ("2min", "seconds", 120.0),
    ("2m", "seconds", 120.0),
    ("90s", "seconds", 90.0),
    ("1h", "seconds", 3600.0),
    ("1h30min", "seconds", 5400.0),
    ("1h 30min 5s", "seconds", 5405.0),
    ("0.1s", "seconds", 0.1),
]


@pytest.mark.parametrize(("text", "kind", "value"), RIGHT)
def test_reading(text, kind, value):
    found = parse(text, kind)
    assert found == value and type(found) is type(value)


WRONG = [
    ("", "count", "can't be read"),
    ("many", "count", "can't be read"),
    ("0", "count", "not above 0"),
    ("-5", "count", "can't be read"),
    (-5, "count", "not above 0"),
    ("1,5M", "count", "unknown unit|can't be read"),
    ("1.5", "count", "no whole number"),
    (1.5, "count", "no whole number"),
    ("200kk", "count", "unknown unit 'kk'"),
    ("5ms", "count", "unknown unit 'ms'"),
    ("1k5k", "count", "can't be read"),
    ("nan", "count", "can't be read"),
    ("inf", "count", "can't be read"),
    (float("inf"), "count", "can't be read"),
    (float("nan"), "count", "can't be read"),
    ("1e999", "count", "too large"),
    ("1e9999999999", "count", "too large"),
    ("9" * 100, "count", "can't be read"),
    (10**30, "count", "too large"),
    (True, "count", "can't be read"),
    (None, "count", "can't be read"),
    ([], "count", "can't be read"),
    ("5", "milliseconds", "no unit"),
    (5, "milliseconds", "no unit"),
    ("5min", "milliseconds", "unknown unit"),
    ("5MB", "seconds", "unknown unit"),
    ("100", "bytes", "no unit"),
    ("0.5B", "bytes", "no whole number"),
    ("2 weeks", "seconds", "unknown unit 'weeks'"),
    ("0s", "seconds", "not above 0"),
    ("0ms", "milliseconds", "not above 0"),
    ("1h-3s", "seconds", "can't be read"),
]


@pytest.mark.parametrize(("text", "kind", "says"), WRONG)
def test_errors_say_how_to_write_it(text, kind, says):
    with pytest.raises(DesignError, match=says) as caught:
        parse(text, kind, "budget.x")
    assert caught.value.path == "budget.x"


COUNTS = st.integers(1, 10**15) | st.integers(1, 9999).map(lambda n: n * 10**5)
TIMES = st.floats(1e-6, 1e6) | st.integers(1, 10**6).map(float)


@settings(deadline=None)
@given(COUNTS, TIMES)
def test_the_exact_form_is_read_back_as_the_same_value(count, time):
    for kind in ("count", "bytes"):
        assert parse(exact(count, kind), kind) == count
    for kind in ("seconds", "milliseconds"):
        assert parse(exact(time, kind), kind) == time


@pytest.mark.parametrize(
    ("value", "kind", "short", "for_people"),
    [
        (200_000, "count", "200k", "200k"),
        (1_500_000, "count", "1.5M", "1.5M"),
        (86_567_656, "count", 86567656, "86.6M"),
        (999, "count", 999, "999"),
        (100_000_000, "bytes", "100MB", "100 MB"),
        (123_457, "bytes", "123457B", "123 kB"),
        (5.0, "milliseconds", "5ms", "5 ms"),
        (0.25, "milliseconds", "0.25ms", "250 µs"),
        (120.0, "seconds", "2min", "2 min"),
        (90.0, "seconds", "90s", "1.5 min"),
        (7200.0, "seconds", "2h", "2 h"),
        (0.5, "seconds", "0.5s", "500 ms"),
    ],
)
def test_writing(value, kind, short, for_people):
    assert exact(value, kind) == short
    assert human(value, kind) == for_people
