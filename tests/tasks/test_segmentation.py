"""Segmentation as a task: metric, loss and baselines."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from netwright.compare import interval, judge
from netwright.errors import InputError
from netwright.tasks import METRICS, CrossEntropyDice, Task, make_loss, metrics_for, run_segmentation_baselines
from netwright.tasks.segmentation_metrics import confusion, mean_iou
from tests.data.scenes import scene


def scenes_of(count=12, side=24, seed=0):
    rng = np.random.default_rng(seed)
    pairs = [scene(rng, side, side) for _ in range(count)]
    return np.stack([image.transpose(2, 0, 1) for image, _ in pairs]), np.stack([mask for _, mask in pairs])


def test_the_task_has_its_metric_loss_and_outputs():
    task = Task.of("segmentation", None, ["sky", "sea", "ship"])
    assert task.metric_name == "miou" and task.loss_name == "cross_entropy_dice" and task.output_size == 3
    assert task.is_segmentation and not task.is_classification
    assert metrics_for("segmentation") == ["miou", "dice", "foreground_iou", "pixel_accuracy"]
    with pytest.raises(InputError, match="not a metric of segmentation"):
        Task.of("segmentation", "accuracy", ["sky", "sea"])
    with pytest.raises(InputError, match="segmentation 2 or more"):
        Task.of("segmentation", None, ["sky"])


def test_a_metric_is_of_all_pixels_of_the_rows_drawn():
    _, masks = scenes_of()
    said = np.roll(masks, 1, axis=2)
    counts = np.stack([confusion(one, other, 3) for one, other in zip(masks, said, strict=True)])
    weights = np.random.default_rng(0).integers(0, 3, (4, len(masks)))
    scores = METRICS["miou"].resampled(np.zeros(len(masks)), counts, weights)
    for row, drawn in zip(scores, weights, strict=True):
        assert row == pytest.approx(mean_iou(np.repeat(counts, drawn, axis=0).sum(axis=0)))
    found = interval(METRICS["miou"], np.zeros(len(masks)), counts, resamples=200)
    assert found.low < found.score < found.high


@pytest.mark.parametrize("ignored", [False, True])
def test_the_loss_is_cross_entropy_plus_dice(ignored):
    torch.manual_seed(0)
    outputs, targets = torch.randn(2, 4, 5, 6, requires_grad=True), torch.randint(0, 3, (2, 5, 6), dtype=torch.uint8)
    if ignored:
        targets[:, :2] = 255
    loss = make_loss("cross_entropy_dice")(outputs, targets)
    known = (targets != 255).flatten()
    flat, truth = outputs.permute(0, 2, 3, 1).reshape(-1, 4)[known], targets.flatten()[known].long()
    p, q = flat.softmax(1), F.one_hot(truth, 4)
    dice = [2 * (p[:, c] * q[:, c]).sum() / (p[:, c].sum() + q[:, c].sum()) for c in range(3)]
    wanted = F.cross_entropy(flat, truth) + 1 - torch.stack(dice).mean()
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert (outputs.grad.abs().sum(1).flatten()[~known] == 0).all()


def test_a_batch_without_a_class_has_a_finite_loss():
    outputs = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = CrossEntropyDice()(outputs, torch.full((1, 4, 4), 255))
    loss.backward()
    assert loss.isfinite() and outputs.grad.isfinite().all()


def test_a_perfect_answer_costs_nothing():
    targets = torch.randint(0, 3, (1, 6, 6))
    assert CrossEntropyDice()(50.0 * F.one_hot(targets, 3).permute(0, 3, 1, 2).float(), targets) < 1e-5


def test_pixel_baselines_learn_what_colours_tell_and_the_verdict_knows_them():
    images, masks = {}, {}
    for seed, (part, count) in enumerate({"train": 16, "validation": 5, "test": 5}.items()):
        images[part], masks[part] = scenes_of(count, seed=seed)

    def count_of(part):
        return lambda codes: np.stack([confusion(t, c, 3) for t, c in zip(masks[part], codes, strict=True)])

    task = Task.of("segmentation", None, ["ground", "disc", "square"])
    results = run_segmentation_baselines(task, images, masks, count_of("validation"), count_of("test"))
    scores = {r.name: task.score(np.zeros(5), r.test_output) for r in results}
    assert list(scores) == ["majority", "linear", "trees"]
    assert scores["majority"] < 0.4 < 0.85 < scores["trees"]
    assert all(r.validation_output.shape == (5, 3, 3) and r.test_output.sum() == 5 * 24 * 24 for r in results)
    perfect = count_of("test")(masks["test"])
    verdict = judge(task, np.zeros(5), np.zeros(5), perfect, results, resamples=200)
    assert verdict.outcome in ("wins", "ties") and verdict.network.score == 1.0 and "mIoU 1.000" in verdict.sentence
