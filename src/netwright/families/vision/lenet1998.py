"""LeNet-5 as first published, with its table of connections, its sub-sampling and its target codes."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.downsample import MeanDownsample
from netwright.blocks.padding import pad_to

__all__ = ["PRESETS", "LeNet1998"]

# Table I: which maps of S2 each of the sixteen maps of C3 sees.
SEEN = [
    *[sorted([i, (i + 1) % 6, (i + 2) % 6]) for i in range(6)],
    *[sorted([i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6]) for i in range(6)],
    *[sorted([i, (i + 1) % 6, (i + 3) % 6, (i + 4) % 6]) for i in range(3)],
    [0, 1, 2, 3, 4, 5],
]


class ScaledTanh(nn.Module):
    """The squashing function of appendix A: y = 1.7159 tanh(2/3 x), so that f(±1) = ±1.

    Shapes: any → the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class SubSampling(nn.Module):
    """Sum of 2 × 2 pixels, times a trained coefficient, plus a trained bias, one of each a map.

    Shapes: (B, C, H, W) → (B, C, ⌊H / 2⌋, ⌊W / 2⌋).
    """

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.full((dim, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(dim, 1, 1))
        self.mean = MeanDownsample()

    def forward(self, x: Tensor) -> Tensor:
        return 4 * self.weight * self.mean(x) + self.bias


class TableConv(nn.Module):
    """5 × 5 convolution in which output map i sees the input maps `seen[i]` alone; the other weights don't exist.

    Shapes: (B, C, H, W) → (B, len(seen), H − 4, W − 4).
    """

    index: Tensor

    def __init__(self, in_channels: int, seen: list[list[int]]):
        super().__init__()
        index = [i * in_channels + j for i, row in enumerate(seen) for j in row]
        bound = torch.tensor([2.4 / (25 * len(row)) for row in seen for _ in row])[:, None, None]
        self.shape = (len(seen), in_channels, 5, 5)
        self.weight = nn.Parameter((torch.rand(len(index), 5, 5) * 2 - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(seen)))
        self.register_buffer("index", torch.tensor(index), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.weight.new_zeros(self.shape[0] * self.shape[1], 5, 5)
        return F.conv2d(x, rows.index_copy(0, self.index, self.weight).view(self.shape), self.bias)


class CodeDistance(nn.Module):
    """Minus the squared distance from a fixed code of each class, of ±1: yᵢ = −Σⱼ (xⱼ − cᵢⱼ)².

    The paper's codes are pictures of the characters, 7 × 12 pixels; these are drawn at random at the start, and kept
    with the weights.

    Shapes: (B, D) → (B, num_classes).
    """

    codes: Tensor

    def __init__(self, dim: int, num_classes: int):
        super().__init__()
        self.register_buffer("codes", torch.randint(2, (num_classes, dim)) * 2.0 - 1.0)

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x @ self.codes.T - x.square().sum(1, keepdim=True) - self.codes.square().sum(1)


class LeNet1998(nn.Module):
    """LeNet-5 with the 60,000 trained parameters of 1998: partial connections, trained sub-sampling, target codes.

    The outputs are scores, the larger the nearer to the code of a class, so that a softmax and its cross-entropy are
    the paper's discriminative criterion (eq. 9) without its rubbish class. Smaller images lie in the middle of a field
    of 32 × 32 zeros; of larger ones the last map is averaged to 5 × 5. Weights start as in appendix A, uniform within
    2.4 / fan in.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the maps of the two convolutions and the last sub-sampling,
    (B, channels[i], ⌊H / strides[i]⌋, ⌊W / strides[i]⌋), at least one pixel.
    Source: LeCun et al. 1998, Gradient-based learning applied to document recognition (Proc. IEEE 86), section II-B.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__()
        self.act = ScaledTanh()
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.s2 = SubSampling(6)
        self.c3 = TableConv(6, SEEN)
        self.s4 = SubSampling(16)
        self.channels, self.strides = [6, 16, 16], [1, 2, 4]

        self.resize = nn.AdaptiveAvgPool2d(5)
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.f6 = nn.Linear(120, 84)
        self.rbf = CodeDistance(84, num_classes)
        self.classifier = ("resize", "c5", "f6", "rbf")
        self.apply(_start)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → (B, 6, H, W), (B, 16, ⌊H / 2⌋, ⌊W / 2⌋), (B, 16, ⌊H / 4⌋, ⌊W / 4⌋)."""
        first = self.act(self.c1(F.pad(x, (2, 2, 2, 2))))
        second = self.act(self.c3(F.pad(self.act(self.s2(first)), (2, 2, 2, 2))))
        return [first, second, self.act(self.s4(second))]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.act(self.s2(self.act(self.c1(pad_to(x, 32)))))  # (B, 6, 14, 14), of an image of 32 × 32 pixels
        x = self.act(self.s4(self.act(self.c3(x))))  # (B, 16, 5, 5)
        x = self.act(self.c5(self.resize(x).flatten(1)))
        return self.rbf(self.act(self.f6(x)))


def _start(module: nn.Module) -> None:
    """Uniform within 2.4 / fan in, appendix A."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        bound = 2.4 / module.weight[0].numel()
        nn.init.uniform_(module.weight, -bound, bound)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


PRESETS: dict[str, dict] = {
    "original": {
        "args": {},
        "params": 60000,
        "source": "LeCun et al. 1998 (Proc. IEEE 86), section II-B; the codes are not the paper's",
        "inputs": {"num_classes": 10, "in_channels": 1},
    },
}
