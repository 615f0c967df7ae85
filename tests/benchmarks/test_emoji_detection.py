"""Each detector of the benchmark is built, learns and is scored."""

import pytest
import torch


@pytest.mark.parametrize("name", ["retinanet", "faster_rcnn", "detr"])
def test_every_detector_learns(name, monkeypatch):
    monkeypatch.syspath_prepend("benchmarks")
    import emoji_detection

    torch.manual_seed(0)
    detector, images = emoji_detection.DETECTORS[name](), torch.randn(2, 3, 96, 96)
    boxes, labels = torch.tensor([[10.0, 12, 50, 60], [40, 30, 80, 90]]), torch.tensor([1, 4])
    targets = [{"boxes": boxes, "labels": labels}, {"boxes": boxes[:0], "labels": labels[:0]}]
    before = {key: value.clone() for key, value in detector.named_parameters()}
    average, losses = emoji_detection.train(detector, images, targets, steps=2, batch=2)
    assert len(losses) == 2 and all(0 < loss < 100 for loss in losses)
    assert any(not torch.equal(value, before[key]) for key, value in detector.named_parameters())
    assert all(0 <= score <= 1 for score in emoji_detection.score(average, images, targets))
