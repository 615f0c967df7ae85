"""Non-maximum suppression against a loop that does what the words say."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor

from netwright.blocks.detection import nms as module
from netwright.blocks.detection.boxes import iou
from netwright.blocks.detection.nms import CHUNK, batched_nms, nms
from netwright.workbench.targets import suppressed
from tests.blocks.detection.test_boxes import some_boxes


def naive(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(scores)), key=lambda i: -scores[i].item()):
        if all(iou(boxes[j], boxes[i]) <= threshold for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("number", [0, 1, 40])
def test_nms_is_the_loop(number, threshold):
    boxes, scores = some_boxes(number, size=60.0), torch.rand(number, generator=torch.Generator().manual_seed(1))
    assert nms(boxes, scores, threshold).tolist() == naive(boxes, scores, threshold)


@pytest.mark.parametrize("size", [50.0, 2000.0], ids=["crowded", "sparse"])
def test_nms_of_several_chunks(size):
    number = 5 * CHUNK + 7
    boxes, scores = some_boxes(number, size=size), torch.rand(number, generator=torch.Generator().manual_seed(1))
    assert torch.equal(nms(boxes, scores, 0.5), suppressed(boxes, scores, 0.5))


def test_equal_scores_keep_their_order_and_a_threshold_is_not_above_itself():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 2.0, 2.0]])
    scores = torch.tensor([0.5, 0.5, 0.5])
    assert nms(boxes, scores, 0.5).tolist() == [0, 1]  # the second overlaps the first by 0.5, the third by 1
    assert nms(boxes, scores, 0.49).tolist() == [0]


def test_a_chain_of_overlaps_drops_every_second():
    start = torch.arange(2 * CHUNK + 1.0)[:, None]
    boxes = torch.cat([start, torch.zeros_like(start), start + 1.9, torch.ones_like(start)], 1)
    assert nms(boxes, -start[:, 0], 0.1).tolist() == list(range(0, 2 * CHUNK + 1, 2))


def test_groups_do_not_suppress_each_other():
    boxes, scores = some_boxes(60, size=40.0), torch.rand(60, generator=torch.Generator().manual_seed(1))
    groups = torch.arange(60) % 3
    expected = []
    for group in range(3):
        members = torch.where(groups == group)[0]
        expected += members[naive(boxes[members], scores[members], 0.3)].tolist()
    assert batched_nms(boxes, scores, groups, 0.3).tolist() == sorted(expected, key=lambda i: -scores[i].item())
    assert len(batched_nms(boxes[:0], scores[:0], groups[:0], 0.3)) == 0


def test_in_bfloat16_boxes_are_compared_in_float32():
    boxes, scores = some_boxes(30).bfloat16(), torch.rand(30, generator=torch.Generator().manual_seed(1))
    assert torch.equal(nms(boxes, scores.bfloat16(), 0.3), nms(boxes.float(), scores.bfloat16().float(), 0.3))


def test_torchvisions_operator_is_used_where_it_loads(monkeypatch):
    calls = []

    def operator(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
        calls.append((boxes.dtype, scores.dtype))
        return suppressed(boxes, scores, threshold)

    boxes, scores = some_boxes(30), torch.rand(30, generator=torch.Generator().manual_seed(1))
    expected = nms(boxes, scores, 0.3)
    monkeypatch.setattr(module, "_operator", lambda: operator)
    assert torch.equal(nms(boxes, scores, 0.3), expected) and calls == [(torch.float32, torch.float32)]
    calls.clear()
    assert len(batched_nms(boxes, scores, torch.arange(30) % 3, 0.3)) and len(calls) == 3


def test_looking_for_the_operator_does_not_import_torchvision():
    code = "import sys, netwright.blocks.detection.nms as n; n._operator(); assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
