"""The residual network for tables.

Source: Gorishniy et al. 2021, Revisiting deep learning models for tabular data, arXiv:2106.11959 (§3.2).
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import BatchNorm1d, ReLU

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.drop_path import DropPath
from netwright.blocks.numeric import Raw
from netwright.blocks.slots import Activation, Norm, Numeric
from netwright.blocks.table import TableVector

__all__ = ["TabularResNet"]


class TabularBlock(nn.Module):
    """Norm, widen, bend, narrow, add: x ← x + W₂ σ(W₁ norm(x)).

    Shapes: (B, D) → (B, D).
    """

    def __init__(
        self, dim: int, mlp_ratio: float, norm: Norm, activation: Activation, dropout: float, drop_path: float
    ):
        super().__init__()
        self.norm = norm(dim)
        self.channel = FeedForward(dim, mlp_ratio, activation, dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.channel(self.norm(x)))


class TabularResNet(nn.Module):
    """The columns side by side → linear → residual blocks → norm, activation, head.

    `dropout` acts inside the blocks, after the activation; `drop_path` drops whole blocks.

    Shapes: x_num (B, F), x_cat (B, C) or None → (B, num_classes).
    """

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        num_classes: int = 1,
        dim: int = 192,
        depth: int = 2,
        numeric: Numeric = Raw,
        numeric_dim: int = 16,
        mlp_ratio: float = 2.0,
        norm: Norm = BatchNorm1d,
        activation: Activation = ReLU,
        dropout: float = 0.3,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.table = TableVector(num_features, cardinalities, numeric, numeric_dim)
        self.stem = nn.Linear(self.table.dim, dim)
        self.blocks = nn.Sequential(
            *[TabularBlock(dim, mlp_ratio, norm, activation, dropout, drop_path) for _ in range(depth)]
        )
        self.norm = norm(dim)
        self.act = activation()
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x_num: Tensor, x_cat: Tensor | None = None) -> Tensor:
        x = self.blocks(self.stem(self.table(x_num, x_cat)))
        return self.head(self.act(self.norm(x)))


PRESETS: dict[str, dict] = {
    "default": {
        "args": {"dim": 192, "depth": 2},
        "inputs": {"num_features": 8},
        "params": 299_137,
        "source": "Gorishniy et al. 2021, arXiv:2106.11959; the authors' package rtdl_revisiting_models",
    },
}
