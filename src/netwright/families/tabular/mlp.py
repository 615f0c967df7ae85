"""The multi-layer perceptron on a row of a table.

Source: Rumelhart et al. 1986, Learning representations by back-propagating errors; as a baseline for tables:
Gorishniy et al. 2021, Revisiting deep learning models for tabular data, arXiv:2106.11959.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import Identity, ReLU

from netwright.blocks.numeric import Raw
from netwright.blocks.slots import Activation, Norm, Numeric
from netwright.blocks.table import TableVector

__all__ = ["MLP"]


class MLP(nn.Module):
    """The columns side by side → `depth` layers (linear, norm, activation, dropout) of width `dim` → head.

    `numeric` embeds the numbers, each column in `numeric_dim` channels; by default they stay what they are.

    Shapes: x_num (B, F), x_cat (B, C) or None → (B, num_classes).
    """

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        num_classes: int = 1,
        dim: int = 256,
        depth: int = 3,
        numeric: Numeric = Raw,
        numeric_dim: int = 16,
        norm: Norm = Identity,
        activation: Activation = ReLU,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.table = TableVector(num_features, cardinalities, numeric, numeric_dim)
        self.layers = nn.Sequential()
        for i in range(depth):
            linear = nn.Linear(dim if i else self.table.dim, dim)
            self.layers.extend([linear, norm(dim), activation(), nn.Dropout(dropout)])
        self.head = nn.Linear(dim if depth else self.table.dim, num_classes)

    def forward(self, x_num: Tensor, x_cat: Tensor | None = None) -> Tensor:
        return self.head(self.layers(self.table(x_num, x_cat)))


PRESETS: dict[str, dict] = {
    "512x2": {
        "args": {"dim": 512, "depth": 2},
        "inputs": {"num_features": 784, "num_classes": 10},
        "params": 669_706,
        "source": "closed form",
    },
    "plr": {
        "args": {"dim": 256, "depth": 3, "numeric": {"periodic": {"num_frequencies": 48}}, "numeric_dim": 24},
        "inputs": {"num_features": 8},
        "params": 200_257,
        "source": "MLP-PLR of Gorishniy et al. 2022, arXiv:2203.05556; closed form",
    },
}
