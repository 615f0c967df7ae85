"""The models that the baselines of every modality share, and how a baseline is put together."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from threadpoolctl import threadpool_limits

from netwright.tasks.task import Task

PENALTIES = (0.01, 0.1, 1.0, 10.0)  # C of the logistic regressions
PENALTIES_OF_TEXT = (1.0, 10.0)  # rows of TF-IDF have length 1, and strong penalties never pay
ALPHAS = np.logspace(-3, 5, 25)  # of the ridge
MANY_NUMBERS = 10_000_000
ENOUGH_TO_STOP_EARLY = 2000  # rows: below, a tenth of them is too noisy a judge


@dataclass(frozen=True)
class Candidate:
    """Features (fitted first), then models of which one is kept, the best on the validation part."""

    name: str
    description: str
    features: Any  # a scikit-learn transformer
    models: list[Any]  # scikit-learn estimators that differ in the parameter `choice`
    choice: str = ""
    note: str = ""


def linear_models(task: Task, sparse: bool = False) -> tuple[list[Any], str]:
    """Logistic regressions, or ridges, and the parameter in which they differ.

    Dense ridges choose their penalty themselves, by leaving out one row at a time, which costs nothing there.
    """
    if task.is_classification:
        penalties = PENALTIES_OF_TEXT if sparse else PENALTIES
        tolerance = 1e-3 if sparse else 1e-4  # on tens of thousands of words, half the time for a tenth of a point
        return [LogisticRegression(C=penalty, max_iter=300, tol=tolerance) for penalty in penalties], "C"
    if sparse:
        return [Ridge(alpha=alpha, solver="lsqr") for alpha in (0.1, 0.3, 1.0, 3.0, 10.0)], "alpha"
    return [RidgeCV(alphas=ALPHAS)], ""


def trees(
    task: Task, targets: np.ndarray, seed: int, categorical: list[bool] | None = None, alike: bool = False
) -> tuple[list[Any], str]:
    """Gradient-boosted trees on histograms, small ones and large ones, and the parameter in which they differ.

    With rows enough, rounds are added until a tenth of the rows sees no more gain; else there is a fixed number of
    smaller steps. `alike`: many features of one kind (pixels, SVD directions), where a few, coarsely, do as well in a
    third of the time.
    """
    several = task.output_size > 2
    counts = np.unique(targets, return_counts=True)[1] if task.is_classification else np.array([len(targets)])
    if len(targets) >= ENOUGH_TO_STOP_EARLY and counts.min() >= 20:
        most = min(500, 1500 // max(task.output_size, 3))  # a round is a tree for each class
        rounds = {"early_stopping": True, "max_iter": most, "learning_rate": 0.2 if several else 0.1}
    else:
        rounds = {"early_stopping": False, "max_iter": 100, "learning_rate": 0.2 if several else 0.05}
    look = {"max_features": 0.3, "max_bins": 63} if alike else {"max_features": 0.5}
    model = HistGradientBoostingClassifier if task.is_classification else HistGradientBoostingRegressor
    models = [
        model(categorical_features=categorical, max_leaf_nodes=leaves, random_state=seed, **rounds, **look)
        for leaves in ((15,) if alike else (8, 31))
    ]
    return models, "max_leaf_nodes"


def again(fitted: Any) -> Any:
    """The same model for a second fit on more rows; trees keep the rounds that stopping early found."""
    model = clone(fitted)
    if getattr(fitted, "do_early_stopping_", False):
        model.set_params(early_stopping=False, max_iter=fitted.n_iter_)
    return model


def one_thread_where_small(numbers: int) -> AbstractContextManager:
    """Below a few million numbers, threads cost these models more than they give: where something else has a
    core, they wait for each other in a busy loop (seen: 37 s instead of 3)."""
    return threadpool_limits(1) if numbers < MANY_NUMBERS else nullcontext()
