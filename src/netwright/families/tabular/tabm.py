"""TabM: one perceptron that makes many predictions, an ensemble that shares nearly all its weights.

Source: Gorishniy et al. 2024, TabM: advancing tabular deep learning with parameter-efficient ensembling,
arXiv:2410.24210; the layers: Wen et al. 2020, BatchEnsemble, arXiv:2002.06715.
"""

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import ReLU

from netwright.blocks.numeric import PiecewiseLinear, Raw
from netwright.blocks.slots import Activation, Numeric
from netwright.blocks.table import TableVector

__all__ = ["TabM"]


class BatchEnsembleLinear(nn.Module):
    """k linear layers with one matrix: y_k = s_k ⊙ W (r_k ⊙ x_k) + b_k.

    r and s start at one, the biases equal.

    Shapes: (B, k, A) → (B, k, D).
    Source: Wen et al. 2020, BatchEnsemble, arXiv:2002.06715.
    """

    def __init__(self, in_dim: int, dim: int, num_members: int):
        super().__init__()
        bound = in_dim**-0.5
        self.weight = nn.Parameter(torch.empty(dim, in_dim).uniform_(-bound, bound))
        self.r = nn.Parameter(torch.ones(num_members, in_dim))
        self.s = nn.Parameter(torch.ones(num_members, dim))
        self.bias = nn.Parameter(torch.empty(dim).uniform_(-bound, bound).repeat(num_members, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias, (x * self.r) @ self.weight.T, self.s)


class EnsembleLinear(nn.Module):
    """k separate linear layers.

    Shapes: (B, k, A) → (B, k, D).
    """

    def __init__(self, in_dim: int, dim: int, num_members: int):
        super().__init__()
        bound = in_dim**-0.5
        self.weight = nn.Parameter(torch.empty(num_members, in_dim, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_members, dim).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.bmm(x.transpose(0, 1), self.weight).transpose(0, 1) + self.bias


class TabM(nn.Module):
    """The columns side by side → k perceptrons that share their matrices → a head for each → the mean.

    The k = `num_members` differ in scales and biases. Training and evaluation differ on purpose. In
    training the forward gives every member's own output (B, k, num_classes): the loss is the mean of the
    members' losses (flatten B and k, repeat the target k times), never the loss of their mean. In
    evaluation it gives one output (B, num_classes): the mean for a single number, and for classes the
    logarithm of the mean probability, which goes wherever logits go.

    The members start apart by random scales of the columns: ±1 on raw numbers, N(0, 1) on embedded ones.

    Shapes: x_num (B, F), x_cat (B, C) or None → (B, k, num_classes) in training, (B, num_classes) in
    evaluation.
    """

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        num_classes: int = 1,
        dim: int = 512,
        depth: int = 2,
        num_members: int = 32,
        numeric: Numeric = partial(PiecewiseLinear, num_bins=48),
        numeric_dim: int = 16,
        activation: Activation = ReLU,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.num_members = num_members
        self.table = TableVector(num_features, cardinalities, numeric, numeric_dim)
        self.layers = nn.Sequential()
        for i in range(depth):
            linear = BatchEnsembleLinear(dim if i else self.table.dim, dim, num_members)
            self.layers.extend([linear, activation(), nn.Dropout(dropout)])
        self.head = EnsembleLinear(dim if depth else self.table.dim, num_classes, num_members)
        if depth:
            raw = isinstance(self.table.numeric, Raw | None)
            spread_members(self.layers[0].get_parameter("r"), self.table.widths, signs=raw)

    def forward(self, x_num: Tensor, x_cat: Tensor | None = None) -> Tensor:
        x = self.table(x_num, x_cat)
        x = x.unsqueeze(1).expand(-1, self.num_members, -1)  # (B, k, width)
        x = self.head(self.layers(x))
        if self.training:
            return x
        if x.shape[-1] == 1:
            return x.mean(1)
        return x.log_softmax(-1).logsumexp(1) - math.log(self.num_members)


@torch.no_grad()
def spread_members(r: Tensor, widths: Sequence[int], signs: bool) -> None:
    """Set scales r (k, Σ widths) to one random number for each member and column, on all its channels."""
    scale = torch.randn(len(r), len(widths), device=r.device)
    if signs:
        scale = scale.sign()
    repeats = torch.tensor(widths, device=r.device)
    r.copy_(scale.repeat_interleave(repeats, dim=1, output_size=sum(widths)))


PRESETS: dict[str, dict] = {
    "default": {
        "args": {"dim": 512, "depth": 3, "numeric": "raw"},
        "inputs": {"num_features": 8},
        "params": 676_128,
        "source": "Gorishniy et al. 2024, arXiv:2410.24210; the authors' package tabm",
    },
    "ple": {
        "args": {"dim": 512, "depth": 2, "numeric": {"piecewiselinear": {"num_bins": 48}}, "numeric_dim": 16},
        "inputs": {"num_features": 8},
        "params": 436_512,
        "source": "Gorishniy et al. 2024, arXiv:2410.24210; the authors' package tabm",
    },
}
