"""The verdict: does the network win, tie or lose against the best baseline, and what is recommended."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from netwright.compare.bootstrap import interval, resampled_scores
from netwright.tasks import Task

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Scored:
    name: str
    score: float
    interval: Interval


@dataclass(frozen=True)
class Difference:
    """Network minus baseline, in the metric's own unit, on the same rows."""

    against: str
    value: float
    interval: Interval
    method: str


@dataclass(frozen=True)
class Verdict:
    metric: str
    network: Scored
    baselines: dict[str, Scored]
    best_baseline: str
    difference: Difference
    outcome: Literal["wins", "ties", "loses"]
    recommendation: str  # "network", or the baseline's name
    sentence: str

    def to_json(self) -> dict[str, Any]:
        content = asdict(self)
        for scored in (content["network"], *content["baselines"].values()):
            scored["interval"] = _plain(scored["interval"])
        for scored in content["baselines"].values():
            del scored["name"]
        content["difference"]["interval"] = _plain(content["difference"]["interval"])
        return content


def judge(
    task: Task,
    truth: np.ndarray,
    network: np.ndarray,
    baselines: dict[str, np.ndarray],
    *,
    best: str,
    network_name: str = "network",
    resamples: int = 2000,
    seed: int = 0,
) -> Verdict:
    """Compare predictions on the same rows.

    `best` names the baseline to beat, chosen on other rows than these. The network wins or loses where the 95 %
    interval of the paired difference leaves out zero. A baseline that wins is recommended; on a tie, whichever
    scores better, and the simpler baseline where both are equal.
    """
    outputs = {"": network, **baselines}
    drawn = resampled_scores(task, truth, outputs, resamples, seed)
    scores = {name: task.score(truth, output) for name, output in outputs.items()}
    scored = {name: Scored(name, scores[name], interval(drawn[name])) for name in baselines}
    ours = Scored(network_name, scores[""], interval(drawn[""]))
    paired = interval(drawn[""] - drawn[best])
    difference = Difference(
        best, scores[""] - scores[best], paired, f"paired bootstrap, {resamples:,} draws, 95 %"
    )
    sign = 1 if task.metric.greater_is_better else -1
    outcome: Literal["wins", "ties", "loses"] = "ties"
    if paired is not None:
        low, high = sorted(sign * bound for bound in paired)
        outcome = "wins" if low > 0 else "loses" if high < 0 else "ties"
    better = outcome == "wins" or (outcome == "ties" and sign * difference.value > 0)
    recommendation = "network" if better else best
    sentence = _sentence(task, ours, scored[best], difference, outcome, recommendation, len(truth))
    return Verdict(task.metric_name, ours, scored, best, difference, outcome, recommendation, sentence)


def _sentence(
    task: Task,
    ours: Scored,
    best: Scored,
    difference: Difference,
    outcome: str,
    recommendation: str,
    rows: int,
) -> str:
    metric = task.metric.title
    said = f"{metric} {ours.score:.4g} against {best.score:.4g} of the best baseline ({best.name}) on {rows:,} rows"
    spread = ""
    if difference.interval is not None:
        low, high = difference.interval
        spread = f", difference {difference.value:+.3g} (95 %: {low:+.3g} to {high:+.3g})"
    advice = (
        "use it"
        if recommendation == "network"
        else f"use the {recommendation} baseline; the design is the second choice"
    )
    return f"The network {outcome}: {said}{spread}; {advice}."


def _plain(bounds: Interval) -> list[float] | None:
    return None if bounds is None else list(bounds)
