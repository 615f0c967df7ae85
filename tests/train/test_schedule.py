import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.train.schedule import Schedule


def test_warms_up_linearly_then_follows_the_cosine_to_its_end():
    schedule = Schedule(100, warmup=10)
    assert [schedule.factor(step) for step in (0, 4)] == pytest.approx(
        [0.1 * 1.0, 0.5 * 0.5 * (1 + math.cos(math.pi * 0.04))]
    )
    assert schedule.factor(50) == pytest.approx(0.5)
    assert schedule.factor(100) == 0.0


@given(st.integers(2, 5000), st.floats(0.05, 0.95), st.integers(1, 5000))
def test_a_stretched_schedule_goes_on_from_where_it_stands_and_ends_on_time(steps, share, more):
    schedule = Schedule(steps)
    at = int(share * steps)
    before = schedule.factor(at)
    schedule.stretch(at, at + more)
    assert schedule.factor(at) == pytest.approx(before)
    assert schedule.factor(at + more) == pytest.approx(0.0, abs=1e-12)
    rates = [schedule.factor(step) for step in range(at, at + more + 1)]
    assert all(a >= b for a, b in pairwise(rates))


def test_its_state_brings_it_back():
    schedule = Schedule(50, warmup=5, final=0.1)
    schedule.stretch(20, 90)
    other = Schedule(1)
    other.load_state_dict(schedule.state_dict())
    assert [other.factor(s) for s in range(95)] == [schedule.factor(s) for s in range(95)]
