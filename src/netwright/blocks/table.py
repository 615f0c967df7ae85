"""A row of a table as one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwright.blocks.categorical import CategoricalVectors
from netwright.blocks.numeric import Raw
from netwright.blocks.slots import Numeric


class TableVector(nn.Module):
    """The vectors of all columns side by side: first the numbers, then the categories.

    `numeric` embeds each number in `numeric_dim` channels; by default it stays one channel.
    `widths` lists the width of each column's part, in the order of the output; `dim` is their sum.

    Shapes: x_num (B, F), x_cat (B, C) or None → (B, dim).
    """

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        numeric: Numeric = Raw,
        numeric_dim: int = 16,
    ):
        super().__init__()
        if not num_features and not cardinalities:
            raise ValueError("a table has at least one column: num_features is 0, cardinalities is empty")
        self.numeric = numeric(num_features, numeric_dim) if num_features else None
        self.categorical = CategoricalVectors(cardinalities) if cardinalities else None
        self.widths: list = []
        if self.numeric is not None:
            self.widths += [self.numeric.dim] * num_features
        if self.categorical is not None:
            self.widths += self.categorical.widths
        self.dim = sum(self.widths)

    def forward(self, x_num: Tensor, x_cat: Tensor | None = None) -> Tensor:
        parts = []
        if self.numeric is not None:
            parts.append(self.numeric(x_num).flatten(1))
        if self.categorical is not None:
            parts.append(self.categorical(x_cat, x_num.dtype))
        return torch.cat(parts, 1)
