"""DARTS: a network of cells whose operations gradient descent chose; the genotype is an argument."""

from collections.abc import Iterator, Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.cell import Cell, operation
from netwright.blocks.pooling2d import MeanPool2d
from netwright.blocks.slots import Activation, Norm2d, Pooling2d, Stem
from netwright.blocks.stem import ConvStem

__all__ = ["DARTS", "PRESETS"]

# Figures 4 and 5 of the paper (DARTS V2), two edges for each new state: (operation, state that it reads). State 0
# is the output of the cell before last, 1 that of the last cell.
NORMAL = (
    *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
    *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
    *(("sep_conv_3x3", 1), ("skip_connect", 0)),
    *(("skip_connect", 0), ("dil_conv_3x3", 2)),
)
REDUCTION = (
    *(("max_pool_3x3", 0), ("max_pool_3x3", 1)),
    *(("skip_connect", 2), ("max_pool_3x3", 1)),
    *(("max_pool_3x3", 0), ("skip_connect", 2)),
    *(("skip_connect", 2), ("max_pool_3x3", 1)),
)


class DARTS(nn.Module):
    """`depth` cells, of which two, at a third and two thirds of the depth, halve the size and double the width.

    The default is the network for ImageNet with the genotype DARTS V2. The operations of the first cells have
    `dim` channels, the stem `stem_ratio` times as many; a cell's output is all its new states side by side. The
    operations are those of `blocks.cell.operation`. The probability of dropping one grows from 0 in the first
    cell to `drop_path` in the last (arXiv:1605.07648). The auxiliary classifier is in `WithAuxiliary`.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the stem's maps but for the last, and the maps before
    each halving and at the end, (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Liu et al. 2018, DARTS: Differentiable architecture search, arXiv:1806.09055.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 48,
        depth: int = 14,
        normal_cell: Sequence[tuple[str, int]] = NORMAL,
        reduction_cell: Sequence[tuple[str, int]] = REDUCTION,
        stem: Stem = ConvStem,
        stem_ratio: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        pooling: Pooling2d = MeanPool2d,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        for edges in (normal_cell, reduction_cell):
            if not edges or len(edges) % 2:
                raise ValueError(f"a genotype has two edges for each new state, got {len(edges)} edges")
        layer = partial(
            operation,
            norm=norm,
            activation=activation,
            conv=nn.Conv2d,
            max_pool=nn.MaxPool2d,
            avg_pool=partial(nn.AvgPool2d, count_include_pad=False),
        )
        self.stem = stem(in_channels, stem_ratio * dim)
        self.channels, self.strides = list(self.stem.channels[:-1]), list(self.stem.strides[:-1])
        # channels and stride of the two inputs: the stem's last two maps, or its only one twice
        older, newer = (list(zip(self.stem.channels, self.stem.strides, strict=True)) * 2)[-2:]
        self.cells = nn.ModuleList()
        self.reductions = [depth // 3, 2 * depth // 3]  # the cells that halve the size
        self.auxiliary_cell = self.reductions[-1]
        for i in range(depth):
            stride = 2 if i in self.reductions else 1
            edges = reduction_cell if stride == 2 else normal_cell
            if stride == 2:
                dim *= 2
                self.channels.append(newer[0])
                self.strides.append(newer[1])
            output = range(2, 2 + len(edges) // 2)
            entry = "shrink" if older[1] < newer[1] else "conv_1x1"
            drop = drop_path * i / max(1, depth - 1)
            self.cells.append(Cell((older[0], newer[0]), dim, edges, output, layer, stride, entry, drop))
            older, newer = newer, (len(output) * dim, stride * newer[1])
        self.channels.append(newer[0])
        self.strides.append(newer[1])
        self.pool = pooling(newer[0])
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(newer[0], num_classes)
        self.classifier = ("pool", "drop", "head")

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the stem's finer maps, the map before each reduction cell, and the last one."""
        stem = self.stem.features(x)
        *maps, x = stem
        for i, y in enumerate(self.outputs_of_cells(stem)):
            if i in self.reductions:
                maps.append(x)
            x = y
        return [*maps, x]

    def with_cell(self, x: Tensor, cell: int) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) → (B, num_classes) and the output of that cell."""
        outputs = list(self.outputs_of_cells(self.stem.features(x)))
        return self.classify(outputs[-1]), outputs[cell]

    def outputs_of_cells(self, stem: list[Tensor]) -> Iterator[Tensor]:
        """The stem's maps → the output of each cell, one after the other."""
        older, newer = (stem * 2)[-2:]
        for cell in self.cells:
            older, newer = newer, cell(older, newer)
            yield newer

    def classify(self, x: Tensor) -> Tensor:
        """The last map (B, C, h, w) → (B, num_classes)."""
        return self.head(self.drop(self.pool(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        return self.classify(self.features(x)[-1])


_PAPER = "Liu et al. 2018, arXiv:1806.09055"

PRESETS: dict[str, dict] = {
    "imagenet": {"args": {"dim": 48, "depth": 14}, "params": 4718752, "source": _PAPER},
    "cifar10": {
        "args": {"dim": 36, "depth": 20, "stem": "smallstem", "stem_ratio": 3},
        "params": 3349342,
        "source": _PAPER + ", table 1 (3.3 M)",
        "inputs": {"num_classes": 10, "in_channels": 3},
    },
}
