"""Necks: torchvision's FPN, and the equations written out, at sizes that do not align."""

from collections import OrderedDict
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.levels import BackboneConvLevels, ConvLevels, NoLevels, PooledLevel
from netwright.blocks.neck import FPN, PAN, BiFPN
from tests.parity import count, randomise
from tests.references import torchvision

CHANNELS, STRIDES = [6, 8, 10], [4, 8, 16]


def maps(sizes=((13, 9), (7, 5), (4, 3)), channels=CHANNELS) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, c, *size, generator=generator) for c, size in zip(channels, sizes, strict=True)]


class Listed(nn.Module):
    """torchvision's FPN with lists in place of dictionaries."""

    def __init__(self, fpn: nn.Module):
        super().__init__()
        self.fpn = fpn

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        return list(self.fpn(OrderedDict((str(i), m) for i, m in enumerate(x))).values())


def same(ours: nn.Module, theirs: nn.Module) -> None:
    """Equal maps, gradients of the inputs and of the parameters, which both register in the same order."""
    x, y = ([m.clone().requires_grad_() for m in maps()] for _ in range(2))
    first, second = ours(x), theirs(y)
    assert len(first) == len(second) == len(ours.channels) == len(ours.strides)
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    for out in (first, second):
        sum((m * torch.arange(1.0, 1 + m.numel()).view_as(m).sin()).sum() for m in out).backward()
    for a, b in zip(x, y, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "levels, name, args",
    [
        (NoLevels, None, ()),
        (PooledLevel, "LastLevelMaxPool", ()),
        (ConvLevels, "LastLevelP6P7", (16, 16)),
        (BackboneConvLevels, "LastLevelP6P7", (10, 16)),
    ],
)
def test_fpn_is_torchvisions(levels, name, args):
    module = torchvision().ops.feature_pyramid_network
    extra = getattr(module, name)(*args) if name else None
    theirs = randomise(module.FeaturePyramidNetwork(CHANNELS, 16, extra_blocks=extra))
    ours = FPN(CHANNELS, STRIDES, 16, levels=levels)
    names = {"inner_blocks": "lateral", "layer_blocks": "smooth", ".0.weight": ".conv.weight", ".0.bias": ".conv.bias"}
    names |= {"extra_blocks.p": "levels.conv"}
    state = {}
    for key, value in theirs.state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        state[key] = value
    ours.load_state_dict(state)
    assert ours.strides == [4, 8, 16, 32, 64][: len(ours.channels)] and set(ours.channels) == {16}
    same(ours, Listed(theirs))


def test_fpn_has_the_published_count():
    with torch.device("meta"):
        neck = FPN([256, 512, 1024, 2048], [4, 8, 16, 32])
    assert count(neck) == 3344384
    assert neck.channels == [256] * 4 and neck.strides == [4, 8, 16, 32]


def test_pan_is_its_equation():
    pan = randomise(PAN(CHANNELS, STRIDES, 8))
    x = maps()
    lateral = [m.conv(c) for m, c in zip(pan.fpn.lateral, x, strict=True)]
    lateral[1] = lateral[1] + F.interpolate(lateral[2], (7, 5))
    lateral[0] = lateral[0] + F.interpolate(lateral[1], (13, 9))
    p = [m.conv(c) for m, c in zip(pan.fpn.smooth, lateral, strict=True)]
    n2 = F.relu(pan.smooth[0].conv(p[1] + F.relu(pan.down[0].conv(p[0]))))
    n3 = F.relu(pan.smooth[1].conv(p[2] + F.relu(pan.down[1].conv(n2))))
    for a, b in zip(pan(x), [p[0], n2, n3], strict=True):
        torch.testing.assert_close(a, b)


def naive_bifpn_cell(cell: nn.Module, p3: Tensor, p4: Tensor, p5: Tensor) -> list[Tensor]:
    def fuse(node: nn.Module, *xs: Tensor) -> Tensor:
        w = node.weight.clamp(min=0)
        mean = sum(a * x for a, x in zip(w, xs, strict=True)) / (w.sum() + 1e-4)
        return node.pointwise(node.depthwise(mean * torch.sigmoid(mean)))

    t4 = fuse(cell.down[0], p4, F.interpolate(p5, p4.shape[2:]))
    o3 = fuse(cell.down[1], p3, F.interpolate(t4, p3.shape[2:]))
    o4 = fuse(cell.up[0], p4, t4, F.max_pool2d(o3, 3, 2, 1))
    return [o3, o4, fuse(cell.up[1], p5, F.max_pool2d(o4, 3, 2, 1))]


def test_bifpn_is_its_equation():
    neck = randomise(BiFPN(CHANNELS, STRIDES, 8, depth=2)).eval()
    out = [lateral(x) for lateral, x in zip(neck.lateral, maps(), strict=True)]
    for cell in neck.cells:
        out = naive_bifpn_cell(cell, *out)
    for a, b in zip(neck(maps()), out, strict=True):
        torch.testing.assert_close(a, b)


def test_bifpn_adds_coarser_maps():
    neck = BiFPN(CHANNELS, STRIDES, 8, depth=1, num_extra=2)
    assert neck.strides == [4, 8, 16, 32, 64] and neck.channels == [8] * 5
    assert [m.shape[2:] for m in neck(maps())] == [(13, 9), (7, 5), (4, 3), (2, 2), (1, 1)]
    with pytest.raises(ValueError, match="two scales or more"):
        BiFPN([8], [4])


def test_negative_weights_of_a_fusion_count_for_nothing():
    neck = BiFPN(CHANNELS[:2], STRIDES[:2], 8, depth=1).eval()
    with torch.no_grad():
        neck.cells[0].down[0].weight.copy_(torch.tensor([1.0, -5.0]))
    x = maps()[:2]
    assert torch.equal(neck(x)[0], neck([x[0], 3 * x[1]])[0])


@pytest.mark.parametrize("neck", [FPN, partial(FPN, levels=ConvLevels), PAN, BiFPN, partial(BiFPN, num_extra=1)])
@pytest.mark.parametrize("sizes", [((13, 9), (7, 5), (4, 3)), ((13, 9), (6, 4), (3, 2)), ((1, 1),) * 3, ((3, 2),) * 3])
def test_any_sizes_align_and_every_parameter_learns(neck, sizes):
    """Maps whose sizes were rounded up, rounded down, or are all the same."""
    neck = neck(CHANNELS, STRIDES, 8)
    out = neck([*maps(sizes)])
    assert [m.shape for m in out[:3]] == [(2, 8, *size) for size in sizes]
    assert [m.shape[1] for m in out] == neck.channels and len(out) == len(neck.strides)
    sum(m.square().sum() for m in out).backward()
    for name, p in neck.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), name


@pytest.mark.parametrize("neck", [partial(FPN, levels=PooledLevel), PAN, partial(BiFPN, num_extra=1)])
def test_necks_compile_and_run_on_meta_and_in_bfloat16(neck):
    module = neck(CHANNELS, STRIDES, 8).eval()
    whole = torch.compile(module, backend="eager", fullgraph=True)
    for a, b in zip(whole(maps()), module(maps()), strict=True):
        torch.testing.assert_close(a, b)
    half = module.to(torch.bfloat16)([m.bfloat16() for m in maps()])
    assert all(m.dtype == torch.bfloat16 for m in half)
    assert all(m.is_meta for m in module.to("meta", torch.float32)([m.to("meta") for m in maps()]))
