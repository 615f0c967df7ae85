"""The verdict: does the network beat what anybody gets in seconds, on rows that neither has seen?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import floor, isfinite, log10
from statistics import fmean, stdev
from typing import Any, Literal

import numpy as np

from netwright.compare.bootstrap import CONFIDENCE, RESAMPLES, Interval, interval, paired_difference
from netwright.tasks import BaselineResult, Metric, Task, best_baseline

Outcome = Literal["wins", "ties", "loses"]
NETWORK = "network"


@dataclass(frozen=True)
class Spread:
    """Scores of the same design trained from several seeds."""

    scores: list[float]
    mean: float
    std: float  # 0 of one seed
    low: float
    high: float


def spread(scores: Sequence[float]) -> Spread:
    """Mean, standard deviation (n − 1) and range over the seeds."""
    values = [float(score) for score in scores]
    return Spread(values, fmean(values), stdev(values) if len(values) > 1 else 0.0, min(values), max(values))


@dataclass(frozen=True)
class Verdict:
    metric: str
    title: str  # the metric's name as people write it
    greater_is_better: bool
    network: Interval
    baselines: dict[str, Interval]
    best_baseline: str  # chosen on the validation part
    difference: Interval  # network − best baseline, paired
    outcome: Outcome
    recommendation: str  # "network", or the baseline's name
    sentence: str
    rows: int  # of the test part
    resamples: int
    confidence: float
    seeds: Spread | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "greater_is_better": self.greater_is_better,
            "network": self.network.to_json(),
            "baselines": {name: score.to_json() for name, score in self.baselines.items()},
            "best_baseline": self.best_baseline,
            "difference": self.difference.to_json(),
            "outcome": self.outcome,
            "recommendation": self.recommendation,
            "sentence": self.sentence,
            "seeds": asdict(self.seeds) if self.seeds else None,
            "rows": self.rows,
            "how": f"{100 * self.confidence:g} % intervals by bootstrap of the {self.rows:,} test rows "
            f"({self.resamples:,} resamples), the difference paired; the best baseline chosen on validation",
        }


def judge(
    task: Task,
    y_val: np.ndarray,
    y_test: np.ndarray,
    network_output: np.ndarray,
    baselines: Sequence[BaselineResult],
    seed_scores: Sequence[float] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Verdict:
    """The network's test predictions against the baselines', in the task's metric.

    Wins or loses where the paired interval of the difference to the best baseline leaves zero out, else ties. On a
    tie the better score is recommended, and the sentence says that it is a tie; the baseline where they are equal,
    since it is simpler. `seed_scores`: test scores of the same design from other seeds.
    """
    metric = task.metric
    best = best_baseline(task, y_val, baselines)
    network = interval(metric, y_test, network_output, resamples, seed=seed)
    scores = {result.name: interval(metric, y_test, result.test_output, resamples, seed=seed) for result in baselines}
    difference = paired_difference(metric, y_test, network_output, best.test_output, resamples, seed=seed)
    outcome = _outcome(metric, difference)
    better = outcome == "wins" or (outcome == "ties" and metric.better(difference.score, 0.0))
    seeds = spread(seed_scores) if len(seed_scores) else None
    return Verdict(
        metric=metric.name,
        title=metric.title,
        greater_is_better=metric.greater_is_better,
        network=network,
        baselines=scores,
        best_baseline=best.name,
        difference=difference,
        outcome=outcome,
        recommendation=NETWORK if better else best.name,
        sentence=_sentence(metric, network, best, scores[best.name], difference, outcome, better),
        rows=len(y_test),
        resamples=resamples,
        confidence=CONFIDENCE,
        seeds=seeds,
    )


def _outcome(metric: Metric, difference: Interval) -> Outcome:
    if not difference.excludes_zero:
        return "ties"
    return "wins" if metric.better(difference.score, 0.0) else "loses"


def _sentence(
    metric: Metric,
    network: Interval,
    best: BaselineResult,
    baseline: Interval,
    difference: Interval,
    outcome: Outcome,
    better: bool,
) -> str:
    """One plain sentence: who wins, by how much, how sure, and what to use."""
    digits = _digits(network.score)
    score, other = (f"{value:,.{digits}f}" for value in (network.score, baseline.score))
    by, low, high = (f"{value:+,.{digits}f}" for value in (difference.score, difference.low, difference.high))
    facts = f"{metric.title} {score} against {other} (difference {by}, 95 % interval {low} to {high})"
    name = f"the {best.name} baseline"
    if outcome == "wins":
        return f"The network wins against {name}: {facts}."
    if outcome == "loses":
        return f"The network loses to {name}: {facts}; use {best.description}, and the design second."
    use = "the network" if better else best.description
    return f"The network ties with {name}: {facts}, which does not tell them apart; by score alone, use {use}."


def _digits(score: float) -> int:
    """Decimals that show four significant digits of a score, four at most."""
    if score == 0 or not isfinite(score):
        return 4
    return min(4, max(0, 3 - floor(log10(abs(score)))))
