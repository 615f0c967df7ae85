"""LeNet-5 of 1998 is the paper's text unit by unit, has its counts, and keeps the promises of a backbone."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.families.vision.lenet1998 import PRESETS, LeNet1998
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import count, randomise

SMALL = partial(LeNet1998, in_channels=3)

# Table I as it is printed: a row for each map of S2, a column for each map of C3.
TABLE = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""
SEES = [[i for i, row in enumerate(TABLE.split("\n")[1:7]) if row.split()[j] == "X"] for j in range(16)]


def squash(x: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 * x / 3)


def by_hand(net: LeNet1998, x: Tensor) -> Tensor:
    """Section II-B: (B, 1, 32, 32) → (B, 10), map by map and class by class, with the weights of `net`."""

    def sample(maps: list[Tensor], layer) -> list[Tensor]:
        made = []
        for m, a, b in zip(maps, layer.weight, layer.bias, strict=True):
            four = m[:, ::2, ::2] + m[:, 1::2, ::2] + m[:, ::2, 1::2] + m[:, 1::2, 1::2]
            made.append(squash(a * four + b))
        return made

    def convolve(maps: list[Tensor], kernels: list[Tensor], bias: Tensor) -> Tensor:
        return squash(sum(F.conv2d(m[:, None], k[None, None])[:, 0] for m, k in zip(maps, kernels, strict=True)) + bias)

    c1 = [convolve([x[:, 0]], [net.c1.weight[i, 0]], net.c1.bias[i]) for i in range(6)]
    s2 = sample(c1, net.s2)
    kernels, c3 = iter(net.c3.weight), []
    for i, sees in enumerate(SEES):
        c3.append(convolve([s2[j] for j in sees], [next(kernels) for _ in sees], net.c3.bias[i]))
    assert next(kernels, None) is None
    s4 = torch.stack(sample(c3, net.s4), 1)
    c5 = squash(s4.flatten(1) @ net.c5.weight.T + net.c5.bias)
    f6 = squash(c5 @ net.f6.weight.T + net.f6.bias)
    return -torch.stack([(f6 - code).square().sum(1) for code in net.rbf.codes], 1)


class ByHand(nn.Module):
    """`by_hand` with tensors of its own, which lie in a network that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.net = same_codes(LeNet1998())

    def forward(self, x: Tensor) -> Tensor:
        return by_hand(self.net, x)


def same_codes(net: LeNet1998) -> LeNet1998:
    """The network with the same codes each time."""
    net.rbf.codes.copy_(torch.randint(2, net.rbf.codes.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    return net


def test_the_published_counts():
    check_counts(LeNet1998, PRESETS)
    net = LeNet1998()
    layers = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "rbf": 0}
    assert {name: count(getattr(net, name)) for name in layers} == layers


def test_same_as_by_hand():
    net, x = randomise(LeNet1998()), contract.images(3, 1, 32, 32)
    outputs = [net(x), by_hand(net, x)]
    assert outputs[1].std() > 1
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-4)
    weight = torch.randn(3, 10)
    first, second = (torch.autograd.grad((y * weight).sum(), list(net.parameters())) for y in outputs)
    for a, b in zip(first, second, strict=True):
        assert float((a - b).abs().max()) <= 1e-5 * float(b.abs().max())


def test_a_code_has_the_highest_score():
    torch.manual_seed(0)
    net = LeNet1998()
    assert net.rbf.codes.abs().eq(1).all()
    scores = net.rbf(net.rbf.codes)
    assert scores.diagonal().eq(0).all() and scores.fill_diagonal_(-1).max() < 0
    assert "rbf.codes" in net.state_dict()


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(SMALL(), 28)


def test_any_size_and_channels():
    contract.check_sizes(LeNet1998, [(8, 8), (28, 28), (33, 47), (1, 5)])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)
