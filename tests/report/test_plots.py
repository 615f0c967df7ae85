"""Plots: well-formed, inside their frame, the right number of marks, ticks that a person would choose."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.report import plots
from tests.report.drawing import SVG, read

anything = st.one_of(st.none(), st.floats(), st.integers(-(10**12), 10**12), st.just("text"))


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 8))
def test_ticks_are_round_and_inside(low, span, wanted):
    high = low + span
    if not high > low:
        return
    marks = plots.ticks(low, high, wanted)
    slack = (high - low) * 1e-6 + abs(low) * 1e-9
    assert all(low - slack <= mark <= high + slack for mark in marks)
    assert len(marks) <= wanted + 2
    if len(marks) > 2 and (high - low) > 1e-6 * abs(low):
        steps = [b - a for a, b in pairwise(marks)]
        assert max(steps) == pytest.approx(min(steps), rel=1e-3, abs=slack)


def test_the_ticks_that_one_would_choose():
    assert plots.ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert plots.ticks(0, 1440) == [0, 500, 1000]
    assert plots.log_ticks(1e-4, 0.1) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert plots.log_ticks(2, 30) == pytest.approx([2, 5, 10, 20])


def circles(svg):
    return len(list(ElementTree.fromstring(svg).iter(f"{SVG}circle")))


def inside(svg):
    drawing = read(svg)
    numbers = [float(n) for d in re.findall(r' d="([^"]*)"', svg) for n in re.findall(r"-?\d+\.?\d*", d)]
    assert all(math.isfinite(number) and -10 <= number <= 1000 for number in numbers)
    for words in drawing.texts:
        assert drawing.page.holds(words.box, slack=1.0), words
    return drawing


@given(st.lists(st.tuples(anything, anything), max_size=60), st.booleans(), st.booleans())
def test_lines_take_anything(pairs, log, noisy):
    series = {"a": {"x": [x for x, _ in pairs], "y": [y for _, y in pairs]}, "b": {"x": [0, 1], "y": [1, 2]}}
    svg = plots.lines(series, y_label="<loss>", log=log, noisy=noisy, guide=0.001, events=[0.5])
    ElementTree.fromstring(svg)
    assert "nan" not in svg and "inf" not in svg


@given(st.lists(anything, max_size=60), st.lists(anything, max_size=60), st.booleans())
def test_scatter_takes_anything(xs, ys, identity):
    svg = plots.scatter(xs, ys, identity=identity, level=0)
    ElementTree.fromstring(svg)
    assert "nan" not in svg and "inf" not in svg


def test_a_gap_where_the_loss_is_not_a_number():
    svg = plots.lines({"loss": {"x": list(range(6)), "y": [3, 2, math.nan, None, 1, 0.5]}}, y_label="loss")
    (path,) = re.findall(r'<path d="([^"]*)"', svg)
    assert path.count("M") == 2 and path.count("L") == 2
    assert circles(svg) == 4


def test_a_spike_survives_thinning_and_leaves_the_median_alone():
    pairs = [(float(x), 1.0) for x in range(10_000)]
    pairs[4321] = (4321.0, 50.0)
    thinned = plots.thin(pairs)
    assert len(thinned) <= 340
    assert (4321.0, 50.0) in thinned
    assert {y for _, y in plots.medians(pairs)} == {1.0}


def test_lines_stay_in_the_frame():
    xs = list(range(100))
    inside(plots.lines({"train": {"x": xs, "y": [x**2 for x in xs]}, "validation": {"x": xs, "y": xs}}, y_label="Loss"))


def test_scatter_marks_every_pair_up_to_its_limit():
    assert circles(plots.scatter([1, 2, math.nan, 4], [1, None, 3, 4])) == 2
    assert 450 <= circles(plots.scatter(range(10_000), range(10_000), limit=900)) <= 900


def test_bars_are_as_long_as_their_values():
    svg = plots.bars([("a", 100, "100"), ("b", 50, "50"), ("c", None, "–")], label="MACs")
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', svg)]
    assert widths[1] == pytest.approx(widths[0] / 2, abs=0.1)
    inside(svg)


@pytest.mark.parametrize("size", [2, 3, 10, 25, 40])
def test_confusion_has_a_cell_for_each_pair(size):
    matrix = [[10 if i == j else 1 for j in range(size)] for i in range(size)]
    svg = plots.confusion(matrix, [f"class {k}" for k in range(size)])
    cells = len(re.findall(r'<rect [^>]*rx="2"', svg))
    assert cells == 2 * size * size  # each cell and its shade
    inside(svg)


def test_confusion_with_awkward_labels():
    svg = plots.confusion([[5, 0], [0, 0]], ["<script>" * 99, "a|b\n\x00"])
    ElementTree.fromstring(svg)
    assert "<script>" not in svg


def whisker_rows(**scores):
    rows = [{"name": name, "score": s, "interval": [s - 0.01, s + 0.01]} for name, s in scores.items()]
    rows[0]["strong"] = True
    return rows


def test_whiskers_have_a_dot_each():
    svg = plots.whiskers(whisker_rows(network=0.9, linear=0.88, trees=0.85), x_label="accuracy")
    assert circles(svg) == 3
    inside(svg)


def test_a_far_baseline_becomes_an_arrow():
    svg = plots.whiskers(whisker_rows(network=0.99, linear=0.98, trees=0.97, majority=0.10), x_label="accuracy")
    assert circles(svg) == 3
    assert svg.count("<path") == 1
    assert "0.1000" in svg


@given(st.lists(st.fixed_dictionaries({"name": st.text(max_size=40), "score": anything, "interval": st.one_of(
    st.none(), st.lists(anything, max_size=3)), "strong": st.booleans()}), max_size=6))  # fmt: skip
def test_whiskers_take_anything(rows):
    svg = plots.whiskers(rows, x_label="score")
    ElementTree.fromstring(svg)
    assert "nan" not in re.sub(r"<text.*?</text>", "", svg)
