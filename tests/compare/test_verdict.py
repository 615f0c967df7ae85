"""The verdict: wins, ties, loses; what is recommended; and one plain sentence."""

import json

import numpy as np
import pytest

from netwright.compare import judge, spread
from netwright.tasks import BaselineResult, Task

ROWS = 400
CLASSES = Task.of("multiclass", classes="abc")
TRUTH = np.arange(ROWS) % 3


def output(right: int) -> np.ndarray:
    """Probabilities that are right on the first rows."""
    return 0.8 * np.eye(3)[np.where(np.arange(ROWS) < right, TRUTH, (TRUTH + 1) % 3)] + 0.2 / 3


def baseline(name: str, validation: int, test: int) -> BaselineResult:
    return BaselineResult(name, f"{name} of pixels", output(validation), output(test), 1.0, "")


def verdict(network: int, *baselines: BaselineResult, **options):
    return judge(CLASSES, TRUTH, TRUTH, output(network), baselines, **options)


def test_wins():
    found = verdict(380, baseline("majority", 130, 130), baseline("linear", 340, 350))
    assert (found.outcome, found.recommendation, found.best_baseline) == ("wins", "network", "linear")
    assert found.sentence == (
        "The network wins against the linear baseline: accuracy 0.9500 against 0.8750 "
        f"(difference +0.0750, 95 % interval +{found.difference.low:.4f} to +{found.difference.high:.4f})."
    )


def test_loses_and_the_baseline_is_recommended():
    found = verdict(350, baseline("linear", 340, 380))
    assert (found.outcome, found.recommendation) == ("loses", "linear")
    assert found.sentence.startswith("The network loses to the linear baseline: accuracy 0.8750 against 0.9500")
    assert found.sentence.endswith("use linear of pixels, and the design second.")


@pytest.mark.parametrize(
    ("network", "recommended", "use"),
    [(361, "network", "the network"), (359, "linear", "linear of pixels"), (360, "linear", "linear of pixels")],
)
def test_ties_go_by_score_and_say_so(network, recommended, use):
    found = verdict(network, baseline("linear", 340, 360))
    assert (found.outcome, found.recommendation) == ("ties", recommended)
    assert found.sentence.startswith("The network ties with the linear baseline")
    assert found.sentence.endswith(f"which does not tell them apart; by score alone, use {use}.")


def test_the_best_baseline_is_chosen_on_validation():
    """The one that happens to shine on the test part is not the opponent."""
    found = verdict(370, baseline("linear", 350, 340), baseline("trees", 345, 390))
    assert found.best_baseline == "linear"
    assert found.outcome == "wins"
    assert list(found.baselines) == ["linear", "trees"]


def test_errors_are_better_below():
    task = Task.of("regression")
    rng = np.random.default_rng(0)
    truth = rng.normal(1000, 100, size=300)
    near, far = truth + rng.normal(0, 20, size=300), truth + rng.normal(0, 80, size=300)
    good, bad = (BaselineResult("trees", "trees", each, each, 1.0, "") for each in (near, far))
    wins, loses = judge(task, truth, truth, near, [bad]), judge(task, truth, truth, far, [good])
    assert (wins.outcome, wins.recommendation, wins.difference.score < 0) == ("wins", "network", True)
    assert (loses.outcome, loses.recommendation, loses.difference.score > 0) == ("loses", "trees", True)
    assert f"RMSE {wins.network.score:.2f} against {wins.baselines['trees'].score:.2f}" in wins.sentence


def test_json():
    found = verdict(380, baseline("majority", 130, 130), baseline("linear", 340, 350), seed_scores=[0.95, 0.94, 0.96])
    data = json.loads(json.dumps(found.to_json()))
    assert data["metric"] == "accuracy"
    assert data["network"] == {"score": 0.95, "interval": [found.network.low, found.network.high]}
    assert set(data["baselines"]) == {"majority", "linear"}
    assert data["baselines"]["linear"]["score"] == 0.875
    assert (data["outcome"], data["recommendation"]) == ("wins", "network")
    assert data["sentence"] == found.sentence
    assert data["seeds"]["mean"] == pytest.approx(0.95)
    assert "400 test rows" in data["how"]
    assert data["difference"]["interval"][0] > 0


def test_the_same_seed_gives_the_same_verdict():
    opponents = baseline("linear", 340, 350)
    assert verdict(380, opponents, seed=4) == verdict(380, opponents, seed=4)


def test_spread_over_seeds():
    found = spread([0.9, 0.92, 0.97])
    assert (found.mean, found.std, found.low, found.high) == pytest.approx((0.93, 0.0360555, 0.9, 0.97))
    assert spread([0.9]).std == 0.0
    assert verdict(380, baseline("linear", 340, 350)).seeds is None
