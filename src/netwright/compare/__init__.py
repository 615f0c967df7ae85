"""Runs against baselines, with intervals: what is a difference, and what is chance."""

from netwright.compare.bootstrap import interval, resampled_scores
from netwright.compare.verdict import Difference, Scored, Verdict, judge

__all__ = ["Difference", "Scored", "Verdict", "interval", "judge", "resampled_scores"]
