"""What `design` reaches by itself on masks: emoji against photographs, judged on emoji that it never saw."""

from pathlib import Path

import pytest
from benchmarks import emoji

import netwright as nw

pytestmark = pytest.mark.slow


@pytest.fixture
def foreground(monkeypatch) -> Path:
    monkeypatch.syspath_prepend(str(Path(emoji.__file__).parent))  # the benchmarks import each other by name
    return emoji.dataset("foreground")


def test_unseen_emoji_are_found_within_ten_minutes(foreground, tmp_path):
    """A random forest on pixels reaches a foreground IoU of 0.74."""
    result = nw.design(foreground, time="10min", out=tmp_path / "result")
    scores = [row["iou"] for row in result.report["validation"]["segmentation"]["classes"]]
    print(result.verdict["network"], scores)
    assert result.verdict["network"]["score"] >= 0.80
    assert scores[1] >= 0.85
