"""What `design` reaches by itself on masks and boxes: emoji on photographs, judged on emoji that it never saw."""

from pathlib import Path

import pytest
from benchmarks import emoji

import netwright as nw

pytestmark = pytest.mark.slow


@pytest.fixture
def benchmarks(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(Path(emoji.__file__).parent))  # they import each other by name


def test_unseen_emoji_are_cut_out_within_ten_minutes(benchmarks, tmp_path):
    """A random forest on pixels reaches a foreground IoU of 0.74."""
    result = nw.design(emoji.dataset("foreground"), time="10min", out=tmp_path / "result")
    scores = [row["iou"] for row in result.report["validation"]["segmentation"]["classes"]]
    print(result.verdict["network"], scores)
    assert result.verdict["network"]["score"] >= 0.80
    assert scores[1] >= 0.85


def test_unseen_emoji_are_found_with_published_weights_within_ten_minutes(benchmarks, tmp_path):
    """In five classes; the best baseline, a forest on windows, is far behind."""
    import datasets

    weights = datasets.weights("mobilenetv2")
    result = nw.design(emoji.dataset("coco", 2000), pretrained=str(weights), time="10min", out=tmp_path / "result")
    scores = {name: row["score"] for name, row in result.verdict["baselines"].items()}
    print(result.verdict["network"], scores)
    assert result.verdict["network"]["score"] >= 0.60 > 1.5 * max(scores.values())
