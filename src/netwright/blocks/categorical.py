"""Categories of a table as vectors. A code outside its column's range counts as 0, the unknown."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CategoricalRows(nn.Module):
    """Number the categories of all columns through, so that one table of vectors serves them all.

    Shapes: codes (B, C) → rows (B, C) in 0 … Σ cardinalities − 1.
    """

    cardinalities: Tensor
    offsets: Tensor

    def __init__(self, cardinalities: Sequence[int]):
        super().__init__()
        self.num_rows = sum(cardinalities)
        starts = [sum(cardinalities[:j]) for j in range(len(cardinalities))]
        self.register_buffer("cardinalities", torch.tensor(list(cardinalities)))
        self.register_buffer("offsets", torch.tensor(starts))

    def forward(self, x: Tensor) -> Tensor:
        known = (x >= 0) & (x < self.cardinalities)
        return torch.where(known, x, 0) + self.offsets


class CategoricalTokens(nn.Module):
    """Each column a token: the vector of its category plus a vector of the column.

    Shapes: codes (B, C) → (B, C, D).
    Source: Gorishniy et al. 2021, Revisiting deep learning models for tabular data, arXiv:2106.11959.
    """

    def __init__(self, cardinalities: Sequence[int], dim: int):
        super().__init__()
        self.rows = CategoricalRows(cardinalities)
        self.embedding = nn.Embedding(self.rows.num_rows, dim)
        self.bias = nn.Parameter(torch.empty(len(cardinalities), dim).uniform_(-(dim**-0.5), dim**-0.5))
        nn.init.uniform_(self.embedding.weight, -(dim**-0.5), dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.embedding(self.rows(x)) + self.bias


class OneHot(nn.Module):
    """All columns as one vector of zeros, with a one for each column's category.

    Shapes: codes (B, C) → (B, Σ cardinalities), in the type asked for.
    """

    def __init__(self, cardinalities: Sequence[int]):
        super().__init__()
        self.rows = CategoricalRows(cardinalities)

    def forward(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        zeros = torch.zeros(x.shape[0], self.rows.num_rows, dtype=dtype, device=x.device)
        return zeros.scatter(1, self.rows(x), 1)


class CategoricalVectors(nn.Module):
    """Small columns one-hot, large ones embedded, side by side: first the small, then the large.

    `widths` lists the width of each column's part, in the order of the output; `dim` is their sum.

    Shapes: codes (B, C) → (B, dim), in the type asked for.
    Source: Holzmüller et al. 2024, Better by default (RealMLP), arXiv:2407.04491: one-hot up to 9 categories,
    8 dimensions above.
    """

    small: Tensor
    large: Tensor

    def __init__(self, cardinalities: Sequence[int], max_one_hot: int = 9, embedding_dim: int = 8):
        super().__init__()
        small = [j for j, n in enumerate(cardinalities) if n <= max_one_hot]
        large = [j for j, n in enumerate(cardinalities) if n > max_one_hot]
        self.widths = [cardinalities[j] for j in small] + [embedding_dim] * len(large)
        self.dim = sum(self.widths)
        self.register_buffer("small", torch.tensor(small, dtype=torch.int64))
        self.register_buffer("large", torch.tensor(large, dtype=torch.int64))
        self.one_hot = OneHot([cardinalities[j] for j in small]) if small else None
        self.tokens = CategoricalTokens([cardinalities[j] for j in large], embedding_dim) if large else None

    def forward(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        parts = []
        if self.one_hot is not None:
            parts.append(self.one_hot(x[:, self.small], dtype))
        if self.tokens is not None:
            parts.append(self.tokens(x[:, self.large]).flatten(1).to(dtype))
        return torch.cat(parts, 1)
