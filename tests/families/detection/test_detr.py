"""DETR is transformers' DETR: logits, boxes, gradients, losses; and keeps the promises of a detector."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.cross_attention import CrossAttention
from netwright.blocks.detection.boxes import to_centers, to_corners
from netwright.blocks.norm2d import FrozenBatchNorm2d
from netwright.blocks.residual2d import BasicBlock
from netwright.blocks.stem import ImageNetStem
from netwright.export import eject_source
from netwright.families.detection.detr import DETR, PRESETS, sine_positions
from netwright.families.vision.resnet import ResNet
from netwright.weights.maps import detr
from tests.export.networks import load
from tests.families.detection.truth import truth
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import transformers

FROZEN = partial(
    ResNet, dim=8, depths=(1, 1, 1, 1), norm=FrozenBatchNorm2d, stem=partial(ImageNetStem, norm=FrozenBatchNorm2d)
)
PLAIN = partial(FeedForward, mlp_ratio=2.0, activation=nn.ReLU)
TINY = partial(DETR, num_classes=5, dim=32, depth=2, num_heads=4, num_queries=9, channel=PLAIN, dropout=0.0)
SMALL = partial(TINY, backbone=partial(ResNet, dim=8, depths=(1, 1), block=BasicBlock))


def key_of(key: str) -> str:
    return f"model.{detr.transformers(key.removeprefix('model.'))}"


def reference(**sizes) -> nn.Module:
    """Without dropout; the whole backbone learns but for its batch norm."""
    hf = transformers()
    resnet = hf.ResNetConfig(embedding_size=8, hidden_sizes=[32, 64, 128, 256], depths=[1] * 4, out_features=["stage4"])
    config = hf.DetrConfig(
        use_timm_backbone=False,
        backbone_config=resnet,
        num_labels=5,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        num_queries=9,
        dropout=0.0,
    )
    return hf.DetrForObjectDetection(config).requires_grad_(True)


class Theirs(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = reference()

    def forward(self, x: Tensor) -> Tensor:
        out = self.model(x)
        return torch.cat([out.logits, out.pred_boxes], -1)


class Ours(nn.Module):
    def __init__(self, model: DETR):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self.model.raw(x), -1)


def pair() -> tuple[nn.Module, nn.Module, dict]:
    ours, theirs = Ours(TINY(backbone=FROZEN)), randomise(Theirs())
    return ours, theirs, copy_by_map(ours, theirs, key_of)


def test_the_preset_has_the_published_count():
    check_counts(DETR, PRESETS)
    hf = transformers()
    config = hf.DetrConfig(
        use_timm_backbone=False, backbone_config=hf.ResNetConfig(out_features=["stage4"]), num_labels=91
    )
    with torch.device("meta"):
        assert count(hf.DetrForObjectDetection(config)) == PRESETS["resnet50"]["params"]
        assert count(DETR()) == PRESETS["resnet50"]["params"] + 53120  # batch norm that learns


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_transformers(train):
    ours, theirs, mapping = pair()
    x = images(2, 3, 96, 131)
    expected = theirs(x).detach()
    torch.testing.assert_close(ours(x).detach(), expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
    # a few gradients of attention are so small that theirs differ by 6e-5 from their own in double precision
    assert_same(ours.double(), theirs.double(), x.double(), mapping, train=train)


@pytest.mark.parametrize("seed", range(3))
def test_losses_are_transformers(seed):
    """Its decoder hands its auxiliary outputs on normalised, unlike the paper's: it is given ours to judge."""
    ours, theirs, _ = pair()
    model, x, targets = ours.model.double(), images(3, 3, 96, 64).double(), truth(seed, 3, 5, 64)
    scale = torch.tensor([64, 96, 64, 96])
    labels = [{"class_labels": t["labels"], "boxes": to_centers(t["boxes"] / scale)} for t in targets]
    hidden = torch.stack(model.hidden(x))
    logits, boxes = model.to_class(hidden).float(), model.to_box(hidden).sigmoid().float()
    config = SimpleNamespace(**theirs.model.config.to_dict() | {"auxiliary_loss": True, "num_labels": 5})
    total, parts, _ = theirs.model.loss_function(logits[-1], labels, "cpu", boxes[-1], config, logits, boxes)
    losses = model.losses(x, targets)
    for name, theirs, weight in (("class", "ce", 1), ("box", "bbox", 5), ("giou", "giou", 2)):
        expected = weight * (parts[f"loss_{theirs}"] + parts[f"loss_{theirs}_0"])
        torch.testing.assert_close(losses[name], expected.float(), rtol=1e-5, atol=0)
    names, tensors = zip(*model.named_parameters(), strict=True)
    expected = torch.autograd.grad(total, tensors)
    found = torch.autograd.grad(sum(losses.values()), tensors)
    largest = max(float(g.abs().max()) for g in expected)
    for name, a, b in zip(names, found, expected, strict=True):
        assert float((a - b).abs().max()) <= 1e-5 * max(float(b.abs().max()), 1e-3 * largest), name


def test_losses_of_one_layer_are_transformers_from_end_to_end():
    ours, theirs, _ = pair()
    del ours.model.decoder[1:], theirs.model.model.decoder.layers[1:]
    x, targets = images(2, 3, 64, 64), truth(0, 2, 5, 64)
    labels = [{"class_labels": t["labels"], "boxes": to_centers(t["boxes"] / 64)} for t in targets]
    expected = theirs.model(x, labels=labels).loss
    torch.testing.assert_close(sum(ours.model.losses(x, targets).values()), expected)


def test_losses_without_objects():
    model = SMALL()
    none = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}] * 2
    losses = model.losses(images(2, 3, 64, 64), none)
    assert losses["box"] == losses["giou"] == 0 < losses["class"]
    sum(losses.values()).backward()


def test_more_objects_than_queries():
    model = SMALL()
    corner = torch.rand(12, 2, generator=torch.Generator().manual_seed(0)) * 40
    targets = [{"boxes": torch.cat([corner, corner + 20], 1), "labels": torch.arange(12) % 5}]
    assert all(loss.isfinite() for loss in model.losses(images(1, 3, 64, 64), targets).values())


def test_detections_keep_the_protocol():
    torch.manual_seed(0)
    model = randomise(SMALL()).eval()
    with torch.no_grad():
        detections, (logits, boxes) = model(images(3, 3, 64, 96)), model.raw(images(3, 3, 64, 96))
    assert len(detections) == 3
    for d, logit, box in zip(detections, logits, boxes, strict=True):
        assert d["boxes"].shape == (9, 4) and d["scores"].shape == d["labels"].shape == (9,)
        assert (d["scores"].diff() <= 0).all() and ((d["labels"] >= 0) & (d["labels"] < 5)).all()
        best = logit.softmax(-1)[:, :5].max(-1).values.argmax()
        corners = to_corners(box[best]) * torch.tensor([96, 64, 96, 64])
        torch.testing.assert_close(d["boxes"][0], corners.clamp(min=0).minimum(torch.tensor([96, 64, 96, 64])))
        assert (d["boxes"] >= 0).all() and (d["boxes"][:, [0, 2]] <= 96).all() and (d["boxes"][:, [1, 3]] <= 64).all()


def test_positions_are_transformers():
    theirs = transformers().models.detr.modeling_detr.DetrSinePositionEmbedding(16, normalize=True)
    expected = theirs((1, 32, 5, 7), "cpu", torch.float32)[0].flatten(1).T
    torch.testing.assert_close(sine_positions(torch.empty(1, 32, 5, 7)), expected)


def test_an_object_query_does_not_depend_on_the_order_of_the_others():
    model, x = randomise(SMALL()).eval(), images(2, 3, 32, 32)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, boxes = model.raw(x)
        model.queries.copy_(model.queries[order])
        torch.testing.assert_close(model.raw(x)[0], logits[:, order])
        torch.testing.assert_close(model.raw(x)[1], boxes[:, order])


@pytest.mark.parametrize("size", [(64, 64), (33, 75), (8, 5)])
def test_any_size_and_channels(size):
    for channels in (1, 4):
        model = SMALL(in_channels=channels)
        sum(model.losses(images(2, channels, *size), truth(0, 2, 5, 32)).values()).backward()
        for name, p in model.named_parameters():
            assert p.grad is not None and p.grad.isfinite().all(), name


def test_works_everywhere():
    contract.check_everywhere(lambda: Ours(SMALL()), 33)
    contract.check_independent_of_batch(Ours(randomise(SMALL())), 32)


def test_ejects():
    args = {"num_classes": 5, "backbone": partial(ResNet, dim=8, depths=(1, 1)), "dim": 32, "depth": 2}
    source = eject_source(DETR, args)
    torch.manual_seed(0)
    theirs = load(source).build()
    torch.manual_seed(0)
    ours = DETR(**args)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x, targets = images(2, 3, 64, 64), truth(0, 2, 5, 64)
    for network in (ours, theirs):
        randomise(network.eval())
    losses, same = ours.losses(x, targets), theirs.losses(x, targets)
    assert losses == same and sum(losses.values()) > 0
    for a, b in zip(ours(x), theirs(x), strict=True):
        assert len(a["boxes"]) and all(torch.equal(a[key], b[key]) for key in a)


def test_starts_like_the_paper():
    torch.manual_seed(0)
    model = SMALL(dim=64)
    for module in model.modules():
        if isinstance(module, CrossAttention):
            bound = (6 / 128) ** 0.5
            assert 0.9 * bound < module.q.weight.abs().max().item() <= bound
            assert all(layer.bias.abs().max().item() == 0 for layer in (module.q, module.k, module.v, module.proj))


def test_dim_must_hold_the_waves():
    with pytest.raises(ValueError, match="multiple of 4"):
        SMALL(dim=30)
