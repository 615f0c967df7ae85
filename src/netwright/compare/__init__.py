"""A network against its baselines, with intervals: the verdict."""

from netwright.compare.bootstrap import CONFIDENCE, RESAMPLES, Interval, interval, paired_difference
from netwright.compare.verdict import NETWORK, Spread, Verdict, judge, spread

__all__ = [
    "CONFIDENCE",
    "NETWORK",
    "RESAMPLES",
    "Interval",
    "Spread",
    "Verdict",
    "interval",
    "judge",
    "paired_difference",
    "spread",
]
