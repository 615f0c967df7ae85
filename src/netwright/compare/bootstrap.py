"""How far a score could be from chance: percentile bootstrap over the rows, also of two scores on the same rows."""

from collections.abc import Iterator

import numpy as np

from netwright.tasks import Task

CHUNK = 4_000_000
"""Numbers of weights (resamples × rows) held at once."""


def resamples(rows: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (r, N), chunk by chunk: how often each row was drawn in each of `count` resamples of N rows."""
    rng = np.random.default_rng(seed)
    size = max(1, min(count, CHUNK // max(1, rows)))
    for start in range(0, count, size):
        drawn = rng.integers(0, rows, (min(size, count - start), rows))
        offset = drawn + rows * np.arange(len(drawn))[:, None]
        yield (
            np.bincount(offset.ravel(), minlength=rows * len(drawn))
            .reshape(len(drawn), rows)
            .astype(np.float64)
        )


def resampled_scores(
    task: Task, truth: np.ndarray, outputs: dict[str, np.ndarray], count: int = 2000, seed: int = 0
) -> dict[str, np.ndarray]:
    """Scores (count,) of each output on the same resamples: differences between them are paired."""
    scores: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    for weights in resamples(len(truth), count, seed):
        for name, output in outputs.items():
            scores[name].append(task.metric.resampled(truth, output, weights))
    return {name: np.concatenate(parts) for name, parts in scores.items()}


def interval(scores: np.ndarray, level: float = 0.95) -> tuple[float, float] | None:
    """The central `level` of resampled scores; None where they are undefined (one class in the test part)."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
