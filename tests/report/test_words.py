"""Numbers and names as words."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.report import words


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0, "count", "0"),
        (9_999, "count", "9,999"),
        (10_000, "count", "10 k"),
        (68_412, "count", "68.4 k"),
        (999_700, "count", "1 M"),
        (25_557_032, "count", "25.6 M"),
        (1.8e12, "count", "1.8 T"),
        (0.84, "ms", "0.84 ms"),
        (0.0042, "ms", "4.2 µs"),
        (2_500, "ms", "2.5 s"),
        (118.2, "s", "118 s"),
        (120, "s", "120 s"),
        (600, "s", "10 min"),
        (9_000, "s", "2.5 h"),
        (31_400_000, "bytes", "31.4 MB"),
        (812, "bytes", "812 bytes"),
        (0.002, "", "0.002"),
        (3e-5, "", "3e−5"),
        (1e-9, "", "1e−9"),
        (-1234.5, "", "−1,235"),
        (64, "", "64"),
        (12, "%", "12%"),
        (True, "", "yes"),
        (None, "s", "–"),
        (math.nan, "s", "NaN"),
        (-math.inf, "", "−∞"),
        ([24, "a", 0.5], "", "24, a, 0.5"),
    ],
)
def test_show(value, unit, said):
    assert words.show(value, unit) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.99444, "0.9944"),
        (1, "1.0000"),
        (54_870.4, "54,870"),
        (541.23, "541.2"),
        (0, "0.0000"),
        (2e-5, "2e−5"),
    ],
)
def test_score(value, said):
    assert words.score(value) == said
    assert words.score(-value) == (f"−{said}" if value else said)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", True])
def test_what_is_no_finite_number_is_a_dash(value):
    assert words.score(value) == words.count(value) == "–"


@given(st.text(max_size=3000), st.integers(5, 300))
def test_clean_is_one_printable_line_within_its_limit(text, limit):
    cleaned = words.clean(text, limit)
    assert len(cleaned) <= limit
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in cleaned)
    assert cleaned == cleaned.strip() and "  " not in cleaned
    assert words.clean(cleaned, limit) == cleaned


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=200))
def test_clean_keeps_ordinary_text(text):
    assert words.clean(text, 200) == text


def test_clean_takes_direction_marks_and_escapes_out():
    assert words.clean("a\u202eb\u200b\x1b[31mc\ud800") == "ab[31mc\ufffd"


def test_clean_is_quick_on_a_pathological_string():
    assert len(words.clean("x" * 30_000_000, 80)) == 80


@given(st.floats(-1e300, 1e300))
def test_every_number_is_shown(value):
    shown = words.show(value)
    read = float(shown.replace(",", "").replace("−", "-"))
    assert read == pytest.approx(value, rel=0.006)


def test_plain_is_strict_json():
    value = {
        "a": (1, np.float32(0.5), np.int64(3)),
        "b": np.array([1.0, math.nan]),
        4: {"inf": math.inf, "path": words, "set": {1}},
        "flag": np.bool_(True),
    }
    text = json.dumps(words.plain(value), allow_nan=False)
    assert json.loads(text)["a"] == [1, 0.5, 3]
    assert json.loads(text)["b"] == [1.0, None]
    assert json.loads(text)["4"]["inf"] is None
    assert json.loads(text)["flag"] is True


@pytest.mark.parametrize(
    ("recommendation", "said"),
    [
        ("network", "Recommended: the network."),
        ("linear", "Recommended: the linear baseline; the network is the second choice."),
        ("Use both.", "Use both."),
        (None, ""),
    ],
)
def test_a_recommendation_is_a_sentence(recommendation, said):
    assert words.advice({"verdict": {"recommendation": recommendation, "baselines": {"linear": {}}}}) == said


def test_the_sentence_without_a_verdict():
    assert "interrupted" in words.verdict_sentence({"verdict": {"sentence": "", "status": "interrupted"}})
    assert words.verdict_sentence({}).startswith("No verdict")
