"""Baselines of text: TF-IDF with a linear model, and with trees on its strongest directions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from netwright.tasks.baseline_models import Candidate, linear_models, trees
from netwright.tasks.task import Task

WORDS = 30_000
PAIRS_BELOW = 5_000_000  # letters in all: above, pairs of words cost a minute and gain nothing
DIRECTIONS = 100


def candidates(task: Task, texts: Sequence[str], targets: np.ndarray, seed: int) -> list[Candidate]:
    terms = _terms(texts)
    models, choice = linear_models(task, sparse=True)
    linear = "logistic regression" if task.is_classification else "ridge regression"
    return [
        Candidate("linear", f"{linear} on TF-IDF of {terms}", _tf_idf(texts), models, choice),
        Candidate(
            "trees",
            f"gradient-boosted trees (HistGradientBoosting) on {DIRECTIONS} directions (SVD) of TF-IDF",
            make_pipeline(_tf_idf(texts), Directions(DIRECTIONS, seed)),
            *trees(task, targets, seed, alike=True),
        ),
    ]


def has_words(texts: Sequence[str]) -> bool:
    """Whether spaces part words: not so in Chinese, Japanese or Thai, nor in codes."""
    some = [text for text in texts[:1000] if text.strip()]
    letters = sum(len(text) for text in some)
    return bool(some) and sum(len(text.split()) for text in some) > letters / 15


def _terms(texts: Sequence[str]) -> str:
    if not has_words(texts):
        return "one to three characters"
    return "words and pairs of words" if sum(map(len, texts)) < PAIRS_BELOW else "words"


def _tf_idf(texts: Sequence[str]) -> TfidfVectorizer:
    rarest = 2 if len(texts) >= 500 else 1
    terms = _terms(texts)
    if "words" in terms:
        return TfidfVectorizer(
            ngram_range=(1, 2 if "pairs" in terms else 1),
            min_df=rarest,
            max_features=WORDS,
            sublinear_tf=True,
            token_pattern=r"\b\w+\b",
        )
    return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=rarest, max_features=WORDS, sublinear_tf=True)


class Directions(TransformerMixin, BaseEstimator):
    """The first `n` singular directions; fewer where the vocabulary is smaller."""

    def __init__(self, n: int, seed: int):
        self.n = n
        self.seed = seed

    def fit(self, features: Any, y: Any = None) -> "Directions":
        n = min(self.n, features.shape[1] - 1, features.shape[0] - 1)
        self.svd_ = TruncatedSVD(n, random_state=self.seed).fit(features) if n > 1 else None
        return self

    def transform(self, features: Any) -> np.ndarray:
        return features.toarray() if self.svd_ is None else self.svd_.transform(features)
