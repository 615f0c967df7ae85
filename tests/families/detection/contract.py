"""What every detector promises (`families.detection`), whatever it is made of."""

import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.residual2d import BasicBlock
from netwright.export import eject_source
from netwright.families.vision.resnet import ResNet
from tests.export.networks import load
from tests.families.vision.contract import images

Make = Callable[..., nn.Module]

BACKBONE = partial(ResNet, dim=4, depths=(1, 1, 1, 1), block=BasicBlock, norm=GroupNorm)


def targets(batch: int, num_classes: int, size: int) -> list[dict[str, Tensor]]:
    """Two objects in each image but the last, which has none."""
    found = []
    for i in range(batch):
        boxes = torch.tensor([[2.0 + i, 5.0, 30.0, 40.0], [20.0, 12.0 + i, size - 1.0, size - 3.0]])
        labels = torch.tensor([i % num_classes, num_classes - 1])
        masks = (torch.rand(2, size, size, generator=torch.Generator().manual_seed(i)) > 0.5).to(torch.uint8)
        number = 2 if i < batch - 1 else 0
        found.append({"boxes": boxes[:number], "labels": labels[:number], "masks": masks[:number]})
    return found


def check_protocol(make: Make, size: int = 64) -> None:
    """Detections, losses and raw outputs have the form that `families.detection` says."""
    torch.manual_seed(0)
    model = make(num_classes=3, in_channels=2, score_threshold=0.001)
    x = images(3, 2, size, size)
    losses = model.losses(x, targets(3, 3, size))
    total = sum(losses.values())
    assert all(loss.shape == () and loss.isfinite() for loss in losses.values())
    total.backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), name
    model.losses(x[2:], targets(3, 3, size)[2:])  # an image without objects alone

    with torch.no_grad():
        detections = model.eval()(images(2, 2, size - 9, size))
    assert len(detections) == 2
    for found in detections:
        boxes, scores, labels = found["boxes"], found["scores"], found["labels"]
        assert boxes.shape == (len(scores), 4) and labels.shape == scores.shape and len(scores) > 0
        assert labels.dtype == torch.long and set(labels.tolist()) <= {0, 1, 2}
        assert torch.equal(scores, scores.sort(descending=True).values) and float(scores.min()) >= 0
        low, high = boxes[:, :2], boxes[:, 2:]
        assert (low >= 0).all() and (high >= low).all() and (high <= torch.tensor([size, size - 9])).all()
        if "masks" in found:
            masks = found["masks"]
            assert masks.shape == (len(scores), size - 9, size) and 0 <= float(masks.min()) <= float(masks.max()) <= 1

    few = make(num_classes=3, in_channels=2, score_threshold=1.0).eval()
    with torch.no_grad():
        for found in few(images(2, 2, size, size)):
            assert all(len(value) == 0 for value in found.values()) and found["boxes"].shape == (0, 4)


def check_everywhere(make: Make, size: int = 64) -> None:
    """`raw` in bfloat16, on the meta device, compiled without graph breaks, exported with a free batch size."""
    torch.manual_seed(0)
    model, x = make(num_classes=3).eval(), images(2, 3, size, size)
    with torch.no_grad():
        expected = model.raw(x)
        half = make(num_classes=3).eval().to(torch.bfloat16)
        half.load_state_dict(model.state_dict())
        dense = model.raw(x)[:2]
        for y, z in zip(half.raw(x.to(torch.bfloat16))[:2], dense, strict=True):
            assert y.dtype == torch.bfloat16 and float((y.float() - z).abs().max()) < 0.1 * float(z.abs().max())
        assert all(found["boxes"].isfinite().all() for found in half(x.to(torch.bfloat16)))

        compiled = torch.compile(Raw(model), backend="eager", fullgraph=True)
        for y, z in zip(compiled(x), expected, strict=True):
            torch.testing.assert_close(y, z)

        batch = torch.export.Dim("batch", min=1, max=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(Raw(model), (x,), dynamic_shapes=({0: batch},)).module()
        more = images(5, 3, size, size, seed=1)
        for y, z in zip(program(more), model.raw(more), strict=True):
            torch.testing.assert_close(y, z, rtol=1e-4, atol=1e-5 * float(z.abs().max()))

    with torch.device("meta"):
        meta = make(num_classes=3)
        shapes = [y.shape for y in meta.raw(torch.empty(2, 3, size, size))]
    assert shapes == [y.shape for y in expected] and all(p.is_meta for p in meta.parameters())


def check_ejected(cls: type[nn.Module], make: partial, size: int = 64) -> None:
    """The ejected file imports torch alone, and its network detects and learns the same."""
    source = eject_source(cls, {"num_classes": 3, "score_threshold": 0.01, **make.keywords})
    assert "netwright" not in source
    torch.manual_seed(0)
    ours = make(num_classes=3, score_threshold=0.01)
    torch.manual_seed(0)
    theirs = load(source).build()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = images(2, 3, size, size)
    results = []
    for model in (ours, theirs):
        torch.manual_seed(1)
        losses = model.train().losses(x, targets(2, 3, size))
        sum(losses.values()).backward()
        gradients = [p.grad for p in model.parameters()]
        with torch.no_grad():
            found = model.eval()(x)
        results.append([*losses.values(), *gradients, *[value for one in found for value in one.values()]])
    assert len(results[0]) == len(results[1])
    for mine, yours in zip(*results, strict=True):
        assert torch.equal(mine, yours)


class Raw(nn.Module):
    """`raw` as `forward`."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.net.raw(x)
