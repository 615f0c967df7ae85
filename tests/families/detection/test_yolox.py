"""YOLOX is libreyolo's YOLOX: outputs, gradients, losses; and keeps the promises of a detector."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.conv_unit import ConvNormAct
from netwright.blocks.detection.boxes import to_centers, to_corners
from netwright.blocks.neck import FPN
from netwright.export import eject_source
from netwright.families.detection.yolox import PRESETS, YOLOX, decode, encode
from netwright.families.vision.cspdarknet import CSPDarknet
from netwright.families.vision.resnet import ResNet
from netwright.weights.maps import yolox
from tests.export.networks import load
from tests.families.detection.truth import truth
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_map, count, randomise, tensors
from tests.references import libreyolo

SMALL = partial(YOLOX, num_classes=5, backbone=partial(CSPDarknet, dim=8, depths=(1, 1, 1, 1)), dim=16)


class Theirs(nn.Module):
    """Boxes in units of 64 pixels as corners, logits of objects and classes, in one tensor."""

    def __init__(self, size: str, num_classes: int):
        super().__init__()
        self.model = libreyolo().LibreYOLOXModel(size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        self.model.head.training = True  # in evaluation it gives other things
        out = self.model.head(self.model.backbone(x))
        return torch.cat([to_corners(out[..., :4]) / 64, out[..., 4:]], -1)


class Ours(nn.Module):
    def __init__(self, model: YOLOX):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        objects, classes, offsets, points, strides = self.model.predict(x)
        return torch.cat([decode(offsets, points, strides) / 64, objects.unsqueeze(-1), classes], -1).to(x.dtype)


def pair(name: str, num_classes: int = 7) -> tuple[nn.Module, nn.Module, dict]:
    ours = Ours(build(YOLOX, PRESETS[name]["args"], num_classes=num_classes))
    theirs = randomise(Theirs(name[0], num_classes))
    names = yolox.megvii({key: x.shape for key, x in tensors(ours.model).items()})
    return ours, theirs, copy_by_map(ours, theirs, {f"model.{a}": f"model.{b}" for a, b in names.items()})


def test_every_preset_has_the_published_count():
    check_counts(YOLOX, PRESETS)
    with torch.device("meta"):
        for name in PRESETS:
            assert count(libreyolo().LibreYOLOXModel(name[0], 80)) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["nano", "s"])
def test_same_as_libreyolo(name, train):
    ours, theirs, mapping = pair(name)
    assert_same(ours, theirs, images(2, 3, 64, 96), mapping, train=train)


@pytest.mark.parametrize("seed", range(3))
def test_losses_are_libreyolos(seed):
    ours, theirs, mapping = pair("nano")
    x, targets = images(3, 3, 96, 96), truth(seed, 3, 7, 96)
    rows = torch.zeros(3, 6, 5)
    for row, target in zip(rows, targets, strict=True):
        found = torch.cat([target["labels"][:, None], to_centers(target["boxes"])], 1)
        row[: len(found)] = found
    ours.train()
    theirs.train()
    losses, expected = ours.model.losses(x, targets), theirs.model(x, rows)
    torch.testing.assert_close(losses["box"], expected["iou_loss"], rtol=1e-5, atol=0)
    torch.testing.assert_close(losses["object"], expected["obj_loss"], rtol=1e-5, atol=0)
    torch.testing.assert_close(losses["class"], expected["cls_loss"], rtol=1e-5, atol=0)
    theirs.model.head.use_l1 = True
    losses, expected = ours.model.final_losses(x, targets), theirs.model(x, rows)
    torch.testing.assert_close(losses["offset"], expected["l1_loss"], rtol=1e-5, atol=0)
    assert set(losses) == {"box", "object", "class", "offset"} and losses["offset"] > 0
    sum(losses.values()).backward()
    expected["total_loss"].backward()
    want = dict(theirs.named_parameters())
    largest = max(float(p.grad.abs().max()) for p in want.values())
    for name, p in ours.named_parameters():
        expected = want[mapping[name]].grad.view_as(p)
        scale = max(float(expected.abs().max()), 1e-3 * largest)
        assert float((p.grad - expected).abs().max()) < 1e-5 * scale, name


def test_offsets_are_those_of_the_boxes():
    boxes = truth(1, 2, 3, 64)[0]["boxes"]
    points, strides = torch.rand(len(boxes), 2) * 64, torch.tensor([8.0, 16, 32, 64])[: len(boxes)]
    torch.testing.assert_close(decode(encode(boxes, points, strides), points, strides), boxes)


def test_losses_without_objects():
    model = SMALL()
    none = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}] * 2
    losses = model.losses(images(2, 3, 64, 64), none)
    assert losses["box"] == losses["class"] == 0 < losses["object"]
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.final_losses(images(2, 3, 64, 64), none)["offset"] == 0
    outside = [{"boxes": torch.tensor([[500.0, 500, 510, 510]]), "labels": torch.tensor([1])}] * 2
    assert model.losses(images(2, 3, 64, 64), outside)["box"] == 0  # no pixel is near it


def test_detections_keep_the_protocol():
    torch.manual_seed(0)
    model = randomise(SMALL(score_threshold=0.2, max_detections=9)).eval()
    with torch.no_grad():
        detections = model(images(3, 3, 64, 96))
    assert len(detections) == 3 and any(len(d["scores"]) for d in detections)
    for d in detections:
        assert d["boxes"].shape == (len(d["scores"]), 4) and len(d["labels"]) == len(d["scores"]) <= 9
        assert (d["boxes"] >= 0).all() and (d["boxes"][:, [0, 2]] <= 96).all() and (d["boxes"][:, [1, 3]] <= 64).all()
        assert (d["scores"] > 0.2).all() and (d["scores"].diff() <= 0).all()
        assert d["labels"].dtype == torch.int64 and ((d["labels"] >= 0) & (d["labels"] < 5)).all()


def test_a_prediction_becomes_a_box():
    """One pixel says: an object of class 3, 16 × 32 pixels around (20, 28)."""
    model = SMALL().eval()
    head = model.heads[0]  # stride 8
    for module in (head.to_box, head.to_object, head.to_class):
        nn.init.zeros_(module.weight)
    with torch.no_grad():
        head.to_box.bias.copy_(torch.tensor([0.5, 0.5, 2.0, 4.0]).log())
        head.to_box.bias[:2] = 0.5
        _, _, *places = model.predict(images(1, 3, 64, 64))
        boxes = decode(*places)
    torch.testing.assert_close(boxes[0, 3 * 8 + 2], torch.tensor([20.0 - 8, 28 - 16, 20 + 8, 28 + 16]))


@pytest.mark.parametrize("size", [(64, 64), (33, 75)])
def test_any_size_and_channels(size):
    for channels in (1, 4):
        model = SMALL(in_channels=channels)
        losses = model.losses(images(2, channels, *size), truth(0, 2, 5, 32))
        sum(losses.values()).backward()
        for name, p in model.named_parameters():
            assert p.grad is not None and p.grad.isfinite().all(), name


def test_works_everywhere():
    contract.check_everywhere(lambda: Ours(SMALL()), 33)
    contract.check_independent_of_batch(Ours(randomise(SMALL())), 32)


def test_ejects():
    source = eject_source(YOLOX, {"num_classes": 5, "backbone": partial(CSPDarknet, dim=8), "dim": 16})
    torch.manual_seed(0)
    theirs = load(source).build()
    torch.manual_seed(0)
    ours = YOLOX(num_classes=5, backbone=partial(CSPDarknet, dim=8), dim=16)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x, targets = images(2, 3, 64, 64), truth(0, 2, 5, 64)
    losses, same = ours.losses(x, targets), theirs.losses(x, targets)
    assert losses == same and sum(losses.values()) > 0
    for network in (ours, theirs):
        randomise(network.eval())
    for a, b in zip(ours(x), theirs(x), strict=True):
        assert len(a["boxes"]) and all(torch.equal(a[key], b[key]) for key in a)


def test_other_backbones_necks_and_strides():
    backbone = partial(ResNet, dim=8, depths=(1, 1, 1, 1))
    model = YOLOX(3, backbone=backbone, neck=partial(FPN, dim=16), dim=16, finest=4).eval()
    assert model.raw(images(1, 3, 64, 64))[2].shape == (1, 16**2 + 8**2 + 4**2 + 2**2, 4)
    with pytest.raises(ValueError, match=r"no map of stride 64 or more, only \[2, 4, 8, 16, 32\]"):
        SMALL(finest=64)


def test_unit_is_a_slot():
    model = SMALL(conv=partial(ConvNormAct, activation=nn.ReLU))
    assert not any(isinstance(m, nn.SiLU) for m in model.heads.modules())
