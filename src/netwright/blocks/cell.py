"""Cells of searched networks: small graphs of operations, given as data.

A genotype lists, two for each state, the edges (operation, state that it reads); an operation is a name, which
`operation` turns into a block.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.conv2d import SeparableConv2d
from netwright.blocks.drop_path import DropPath
from netwright.blocks.slots import Activation, Conv2d, Norm2d

__all__ = ["ActConvNorm", "Cell", "FactorizedReduction", "operation"]

KERNELS = {"3x3": 3, "5x5": 5, "7x7": 7}


class Cell(nn.Module):
    """A graph of operations on the outputs of the two cells before.

    States 0 and 1 are the older and the newer input, brought to `dim` channels. Each further state is the sum of
    two operations on earlier states, `edges[2i]` and `edges[2i + 1]`; the states in `output` side by side are the
    cell's output. `stride` is that of the operations on the inputs. `entry` names the operation that brings the
    older input to the width and size of the newer: "shrink" where it is twice as large, "skip_connect" to leave
    it as it is. Every operation but a plain skip is dropped with probability `drop_path` (arXiv:1605.07648).

    Shapes: older (B, C₀, H₀, W₀), newer (B, C₁, H, W) → (B, len(output) · dim, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Zoph et al. 2017, Learning transferable architectures for scalable image recognition, arXiv:1707.07012.
    """

    def __init__(
        self,
        channels: Sequence[int],
        dim: int,
        edges: Sequence[tuple[str, int]],
        output: Sequence[int],
        operation: Callable[[str, int, int, int], nn.Module],
        stride: int = 1,
        entry: str = "conv_1x1",
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.inputs, self.output = [state for _, state in edges], list(output)
        self.out_channels = dim * len(self.output)
        self.newer = operation("conv_1x1", channels[1], dim, 1)
        self.older = operation(entry, channels[0], dim, 1)
        self.operations = nn.ModuleList()
        for i, (name, state) in enumerate(edges):
            if not 0 <= state < i // 2 + 2:
                raise ValueError(f"edge {i} ({name}) reads state {state}, but only 0 to {i // 2 + 1} are there")
            width = channels[0] if state == 0 and entry == "skip_connect" else dim
            self.operations.append(operation(name, width, dim, stride if state < 2 else 1))
        self.drop_path = DropPath(drop_path)

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        newer = self.newer(newer)
        states = [self.older(older), newer]
        for i in range(0, len(self.inputs), 2):
            states.append(self.edge(i, states) + self.edge(i + 1, states))
        return torch.cat([states[i] for i in self.output], 1)

    def edge(self, i: int, states: list[Tensor]) -> Tensor:
        """Operation i on the state that it reads."""
        x = states[self.inputs[i]]
        layer = self.operations[i]
        return x if isinstance(layer, Identity) else self.drop_path(layer(x))


class ActConvNorm(nn.Module):
    """Activation, convolution, norm: norm(W ∗ σ(x)), padded so that stride 1 keeps the size.

    Shapes: (B, C, H, W) → (B, C', ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Zoph et al. 2017, appendix A.4, arXiv:1707.07012.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dilation: int = 1,
        conv: Conv2d = nn.Conv2d,
    ):
        super().__init__()
        normalise, padding = norm(out_channels), kernel_size // 2 * dilation
        bias = isinstance(normalise, Identity)
        self.act = activation()
        self.conv = conv(in_channels, out_channels, kernel_size, stride, padding, dilation, 1, bias)
        self.norm = normalise

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.act(x)))


class FactorizedReduction(nn.Module):
    """Halve the size and lose no row: one 1 × 1 convolution sees the even pixels, another the odd ones.

    y = norm(W₁ σ(x)[::2, ::2] ‖ W₂ σ(x)[1::2, 1::2]), with zeros where an odd size has no last pixel.

    Shapes: (B, C, H, W) → (B, D, ⌈H / 2⌉, ⌈W / 2⌉).
    Source: Zoph et al. 2017, arXiv:1707.07012 (their code).
    """

    def __init__(self, in_channels: int, dim: int, norm: Norm2d = BatchNorm2d, activation: Activation = ReLU):
        super().__init__()
        if dim < 2:
            raise ValueError(f"dim must be at least 2, got {dim}: each half of the pixels has channels of its own")
        normalise = norm(dim)
        bias = isinstance(normalise, Identity)
        self.act = activation()
        self.even = nn.Conv2d(in_channels, dim // 2, 1, bias=bias)
        self.odd = nn.Conv2d(in_channels, dim - dim // 2, 1, bias=bias)
        self.norm = normalise

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        odd = F.pad(self.act(x[:, :, 1::2, 1::2]), (0, width % 2, 0, height % 2))
        return self.norm(torch.cat([self.even(self.act(x[:, :, ::2, ::2])), self.odd(odd)], 1))


def operation(
    name: str,
    in_channels: int,
    dim: int,
    stride: int,
    norm: Norm2d,
    activation: Activation,
    conv: Conv2d,
    max_pool: Callable[[int, int, int], nn.Module],
    avg_pool: Callable[[int, int, int], nn.Module],
) -> nn.Module:
    """The block that a name in a genotype stands for, (B, C, H, W) → (B, D, ⌈H / stride⌉, ⌈W / stride⌉).

    skip_connect (which shrinks with stride 2), shrink, conv_1x1, max_pool_3x3, avg_pool_3x3, sep_conv_KxK (twice)
    and dil_conv_KxK with K of 3, 5, 7. `max_pool` and `avg_pool` are called with kernel size, stride and padding, as
    torch's `MaxPool2d`.
    """
    kind, _, size = name.rpartition("_")
    if name == "skip_connect" and stride == 1:
        return Identity()
    if name in ("skip_connect", "shrink"):
        return FactorizedReduction(in_channels, dim, norm, activation)
    if name == "conv_1x1":
        return ActConvNorm(in_channels, dim, 1, stride, norm, activation)
    if name == "max_pool_3x3":
        return max_pool(3, stride, 1)
    if name == "avg_pool_3x3":
        return avg_pool(3, stride, 1)
    if kind not in ("sep_conv", "dil_conv") or size not in KERNELS:
        known = "skip_connect, shrink, conv_1x1, max_pool_3x3, avg_pool_3x3, sep_conv_KxK and dil_conv_KxK"
        raise ValueError(f"there is no operation {name!r}: there are {known} with K of 3, 5, 7")
    separable = partial(SeparableConv2d, conv=conv)
    if kind == "dil_conv":
        return ActConvNorm(in_channels, dim, KERNELS[size], stride, norm, activation, 2, separable)
    return nn.Sequential(
        ActConvNorm(in_channels, dim, KERNELS[size], stride, norm, activation, 1, separable),
        ActConvNorm(dim, dim, KERNELS[size], 1, norm, activation, 1, separable),
    )
