"""A family with a bit of everything that ejecting has to deal with."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import ReLU

from netwright.blocks.slots import Activation, Norm
from tests.export.toys import parts
from tests.export.toys.parts import SLOPE, Cell, Unused
from tests.export.toys.parts import Stem as FirstStem

__all__ = ["Toy"]


class Stem(nn.Module):
    """Another stem, of the same name."""

    def __init__(self, dim: int):
        super().__init__()
        self.bias = nn.Parameter(nn.init.normal_(nn.Linear(dim, 1).weight.detach()[0] * SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Toy(nn.Module):
    """Stems, then cells, then a head. Shapes: (B, A) → (B, num_classes)."""

    def __init__(
        self,
        in_dim: int,
        num_classes: int = 2,
        dim: int = 8,
        ratios: Sequence[float] = (1.0, 2.0),
        activation: Activation = ReLU,
        cell: Norm = Cell,
        depth: int = 1,
    ):
        super().__init__()
        self.stem = FirstStem(in_dim, dim)
        self.other = Stem(dim)
        self.channels: list[int] = []
        stride, cells = 1, []
        for ratio in ratios:
            # one cell for each ratio
            cells.append(cell(dim, ratio=ratio, activation=activation))
            self.channels.append(dim)
            stride = stride * 2
        self.cells = nn.Sequential(*cells)
        self.wide = Unused(dim) if in_dim > 100 else None
        self.head = nn.Linear(dim, num_classes)

    def features(self, x: Tensor) -> list[Tensor]:
        maps = []
        for cell in self.cells:
            x = cell(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, A) → (B, num_classes)."""
        x = self.other(self.stem(x))
        if self.wide is not None:
            x = self.wide(x)
        return self.head(self.cells(x))


class Sized(nn.Module):
    """The number in the slot comes from an argument: it must stay one."""

    def __init__(self, dim: int = 8, ratio: float = 3.0):
        super().__init__()
        self.cell = Holder(dim, inner=partial(Cell, ratio=ratio))

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(x)


class Holder(nn.Module):
    def __init__(self, dim: int, inner: Norm = Cell):
        super().__init__()
        self.inner = inner(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


class Mixed(nn.Module):
    """Two cells with different activations: the slot must stay."""

    def __init__(self, dim: int = 8):
        super().__init__()
        self.one = Cell(dim, activation=ReLU)
        self.two = Cell(dim, activation=nn.Tanh, norm=None)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x))


class Through(nn.Module):
    """A module's name instead of a class's."""

    def __init__(self, dim: int = 8):
        super().__init__()
        self.cell = parts.Cell(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(x)
