"""Annotations become types; types check values."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Optional, Union

import pytest
import torch

from netwright.blocks.slots import Activation, Mixer
from netwright.design import DesignError
from netwright.design.ranges import ANY, Range
from netwright.design.types import (
    BOOL,
    FLOAT,
    INT,
    NULL,
    OPAQUE,
    TEXT,
    Choice,
    Either,
    Many,
    Slot,
    check,
    read,
    slot_in,
    takes_number,
)

READ = [
    (int, INT),
    (float, FLOAT),
    (bool, BOOL),
    (str, TEXT),
    (None, NULL),
    (int | None, Either((INT, NULL))),
    (Optional[float], Either((FLOAT, NULL))),  # noqa: UP045 (torch writes it so)
    (Union[int, tuple[int, int]], Either((INT, Many(INT, 2)))),  # noqa: UP007
    (Literal["a", "b"], Choice(("a", "b"))),
    (tuple[int, ...], Many(INT)),
    (Sequence[float], Many(FLOAT)),
    (list[int], Many(INT, None, list)),
    (Sequence[tuple[int, int]], Many(Many(INT, 2))),
    (Mixer, Slot("mixer", 1)),
    (Activation, Slot("activation", 0)),
    (Mixer | None, Either((Slot("mixer", 1), NULL))),
    (Sequence[Mixer], Many(Slot("mixer", 1))),
    (Annotated[int, "a note"], INT),
    (int | list[int] | torch.Size, Either((INT, Many(INT, None, list)))),
    (torch.device | None, OPAQUE),
    (Callable[[int], int], OPAQUE),
    (Any, OPAQUE),
    (dict[str, int], OPAQUE),
    (list[dict], OPAQUE),
]


@pytest.mark.parametrize(("annotation", "expected"), READ)
def test_reading_annotations(annotation, expected):
    assert read(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, 3),
        (float, 3),
        (float, 0.5),
        (bool, False),
        (str, ""),
        (int | None, None),
        (int | str, "x"),
        (Literal["a", 1, None], None),
        (int | tuple[int, int], 3),
        (int | tuple[int, int], (3, 4)),
        (float | Literal["auto"], "auto"),
    ],
)
def test_right_values_pass_unchanged(annotation, value):
    out = check(value, read(annotation), "x", ANY)
    assert out == value and type(out) is type(value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, True),
        (int, 1.0),
        (int, None),
        (float, True),
        (float, "1"),
        (float, float("inf")),
        (bool, 0),
        (str, 1),
        (Literal[1, 2], True),
        (Literal["a"], "A"),
        (tuple[int, int], (1,)),
        (tuple[int, ...], "12"),
        (int | None, "none"),
        (Sequence[int], [1, None]),
        (Any, 3),
    ],
)
def test_wrong_values_are_refused(annotation, value):
    with pytest.raises(DesignError) as caught:
        check(value, read(annotation), "x", ANY)
    assert caught.value.path.startswith("x")


def test_ranges():
    half_open = Range(0, 1, open_high=True)
    assert 0 in half_open and 0.99 in half_open and 1 not in half_open and -0.1 not in half_open
    assert 0 not in Range(0, open_low=True) and float("nan") not in ANY and 2**31 not in ANY
    assert str(half_open) == "0 ≤ x < 1" and str(Range(0, open_low=True)) == "0 < x" and "any" in str(ANY)
    assert half_open.schema() == {"minimum": 0, "exclusiveMaximum": 1}


def test_lists_become_what_the_annotation_says():
    assert check([1, 2], Many(INT), "x", ANY) == (1, 2)
    assert check((1, 2), Many(INT, None, list), "x", ANY) == [1, 2]


def test_slots_and_numbers_within_types():
    assert slot_in(read(Sequence[Mixer])) == slot_in(read(Mixer | None)) == Slot("mixer", 1)
    assert slot_in(read(int | None)) is None
    assert takes_number(read(tuple[float, float] | None)) and not takes_number(read(bool | str))
