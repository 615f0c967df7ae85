"""Detection as a task: metric, resampling, the handed-over metric, baselines."""

import numpy as np
import pytest

from netwright.compare import interval, judge
from netwright.errors import InputError
from netwright.export.templates import average_precision as handed_over
from netwright.tasks import METRICS, Task, metrics_for, run_detection_baselines
from netwright.tasks.detection_metrics import average_precision
from netwright.tasks.detection_scores import class_scores, judged
from tests.data import boxed

NAMES = ["ap50", "ap75", "map50_95"]


def random_boxes(rng, count):
    corner = rng.uniform(0, 40, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(5, 20, (count, 2))], axis=1)


def random_set(seed, images=9, classes=3):
    """True objects, some of them crowds, and detections near some of them and elsewhere."""
    rng = np.random.default_rng(seed)
    found, truths = [], []
    for _ in range(images):
        boxes = random_boxes(rng, int(rng.integers(0, 5)))
        labels, crowd = rng.integers(0, classes, len(boxes)), rng.random(len(boxes)) < 0.15
        truths.append({"boxes": boxes, "labels": labels, "crowd": crowd, "ignored": crowd})
        near = np.concatenate([boxes + rng.normal(0, 1.5, boxes.shape), random_boxes(rng, 3)])
        said = np.concatenate([labels, rng.integers(0, classes, 3)])
        found.append({"boxes": near, "labels": said, "scores": rng.random(len(near)).round(1)})
    return found, truths


def test_the_task_has_its_metric_and_outputs():
    task = Task.of("detection", None, ["disc"])
    assert task.metric_name == "ap50" and task.output_size == 1 and task.is_detection
    assert not task.is_segmentation and not task.is_classification and metrics_for("detection") == NAMES
    with pytest.raises(InputError, match="not a metric of detection"):
        Task.of("detection", "miou", ["disc"])
    with pytest.raises(InputError, match="detection 1 or more"):
        Task.of("detection", None, [])


@pytest.mark.parametrize("seed", range(4))
def test_the_scores_are_those_of_cocos_average_precision(seed):
    found, truths = random_set(seed)
    whole = average_precision(found, truths, 3)
    rows = judged(found, truths, 3)
    wanted = dict(zip(NAMES, (whole.ap50, whole.ap75, whole.ap), strict=True))
    for name, value in wanted.items():
        assert METRICS[name](np.zeros(len(rows)), rows) == pytest.approx(value, abs=1e-12)
        assert getattr(handed_over, name)(found, truths, 3) == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(class_scores(rows, tuple(range(10))), whole.classes)


def test_a_resample_is_the_images_as_often_as_they_were_drawn():
    found, truths = random_set(5)
    rows, truth = judged(found, truths, 3), np.zeros(len(truths))
    weights = np.random.default_rng(0).integers(0, 3, (4, len(rows)))
    for name in NAMES:
        scores = METRICS[name].resampled(truth, rows, weights)
        for score, drawn in zip(scores, weights, strict=True):
            again = np.repeat(np.arange(len(rows)), drawn)
            repeated = average_precision([found[i] for i in again], [truths[i] for i in again], 3)
            wanted = dict(zip(NAMES, (repeated.ap50, repeated.ap75, repeated.ap), strict=True))[name]
            assert score == pytest.approx(wanted, abs=0.02)  # equal scores come in another order
    spread = interval(METRICS["ap50"], truth, rows, resamples=200)
    assert spread.low < spread.score < spread.high


def test_images_without_objects_and_without_boxes():
    none = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int)}
    box = {"boxes": np.array([[0.0, 0, 9, 9]]), "labels": np.array([0])}
    nothing, sure = {**none, "scores": np.zeros(0)}, {**box, "scores": np.ones(1)}
    score = METRICS["ap50"]
    assert np.isnan(score(np.zeros(2), judged([nothing, sure], [none, none], 2)))
    assert score(np.zeros(2), judged([nothing, nothing], [box, none], 2)) == 0.0
    assert score(np.zeros(2), judged([sure, nothing], [box, none], 2)) == pytest.approx(1.0)


def test_windows_learn_what_colours_tell_and_the_verdict_knows_them():
    images, objects = {}, {}
    for seed, (part, count) in enumerate({"train": 24, "validation": 8, "test": 8}.items()):
        drawn = boxed.scenes(count, (40, 40), seed)
        images[part] = np.stack([np.asarray(image).transpose(2, 0, 1) for image, _ in drawn])
        objects[part] = np.full((count, 3, 6), -1.0)
        for row, (_, boxes) in zip(objects[part], drawn, strict=True):
            row[: len(boxes)] = [[*corners, boxed.LABELS.index(label), 0] for label, corners in boxes]

    def judge_part(part):
        there = [rows[rows[:, 4] >= 0] for rows in objects[part]]
        return lambda found: judged(found, [{"boxes": t[:, :4], "labels": t[:, 4].astype(int)} for t in there], 2)

    task = Task.of("detection", None, boxed.LABELS)
    results = run_detection_baselines(task, images, objects, judge_part("validation"), judge_part("test"))
    scores = {r.name: task.score(np.zeros(8), r.test_output) for r in results}
    assert list(scores) == ["majority", "linear", "trees"]
    assert scores["majority"] < 0.3 < 0.7 < max(scores["linear"], scores["trees"])
    truths = [{"boxes": t[:, :4], "labels": t[:, 4], "scores": np.ones(len(t))}
              for t in (rows[rows[:, 4] >= 0] for rows in objects["test"])]  # fmt: skip
    verdict = judge(task, np.zeros(8), np.zeros(8), judge_part("test")(truths), results, resamples=200)
    assert (
        verdict.outcome in ("wins", "ties")
        and verdict.network.score == pytest.approx(1.0)
        and "AP50 1.000" in verdict.sentence
    )
