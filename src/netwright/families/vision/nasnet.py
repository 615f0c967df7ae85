"""NASNet: one cell that keeps the size and one that halves it, found by a search on CIFAR-10, stacked."""

from collections.abc import Iterator
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.cell import Cell, operation
from netwright.blocks.conv import kaiming_init
from netwright.blocks.conv2d import SameConv2d, same_padding
from netwright.blocks.pooling2d import MeanPool2d
from netwright.blocks.slots import Activation, Norm2d, Pooling2d, Stem
from netwright.blocks.stem import UnpaddedStem

__all__ = ["PRESETS", "NASNet"]

# Figure 4 of the paper (NASNet-A), two edges for each new state: (operation, state that it reads). State 0 is
# the output of the cell before last, 1 that of the last cell.
NORMAL = [
    *(("sep_conv_5x5", 1), ("sep_conv_3x3", 0)),
    *(("sep_conv_5x5", 0), ("sep_conv_3x3", 0)),
    *(("avg_pool_3x3", 1), ("skip_connect", 0)),
    *(("avg_pool_3x3", 0), ("avg_pool_3x3", 0)),
    *(("sep_conv_3x3", 1), ("skip_connect", 1)),
]
NORMAL_OUTPUT = [0, 2, 3, 4, 5, 6]
REDUCTION = [
    *(("sep_conv_5x5", 1), ("sep_conv_7x7", 0)),
    *(("max_pool_3x3", 1), ("sep_conv_7x7", 0)),
    *(("avg_pool_3x3", 1), ("sep_conv_5x5", 0)),
    *(("skip_connect", 3), ("avg_pool_3x3", 2)),
    *(("sep_conv_3x3", 2), ("max_pool_3x3", 1)),
]
REDUCTION_OUTPUT = [3, 4, 5, 6]


class NASNet(nn.Module):
    """Stages of `depth` normal cells, with a reduction cell between two; the default is NASNet-A (4 @ 1056).

    The operations in the cells of stage i have `dim` · 2ⁱ channels, its output six times as many. `stem_cells`
    reduction cells follow the stem; for small images take `SmallStem` and none. With `skip_reduction` the cell
    behind a reduction cell reads the same older cell as that one. Convolutions and poolings are padded as
    TensorFlow's "same". The probability of dropping an operation grows from 0 in the first cell to `drop_path`
    in the last (arXiv:1605.07648). The paper's auxiliary classifier is in `WithAuxiliary`.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before each reduction cell and the last one,
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up behind the stem.
    Source: Zoph et al. 2017, Learning transferable architectures for scalable image recognition, arXiv:1707.07012.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 44,
        depth: int = 4,
        stem: Stem = partial(UnpaddedStem, norm=partial(BatchNorm2d, eps=1e-3)),
        stem_dim: int = 32,
        stem_cells: int = 2,
        skip_reduction: bool = False,
        norm: Norm2d = partial(BatchNorm2d, eps=1e-3),
        activation: Activation = ReLU,
        pooling: Pooling2d = MeanPool2d,
        dropout: float = 0.5,
        drop_path: float = 0.0,
    ):
        super().__init__()
        layer = partial(
            operation,
            norm=norm,
            activation=activation,
            conv=SameConv2d,
            max_pool=SameMaxPool2d,
            avg_pool=SameMeanPool2d,
        )
        plan = [("reduction", max(2, dim // 2 ** (stem_cells - i))) for i in range(stem_cells)]
        plan += [("normal", dim)] * depth
        plan += [("reduction", 2 * dim)] + [("normal", 2 * dim)] * depth
        plan += [("reduction", 4 * dim)] + [("normal", 4 * dim)] * depth

        self.stem = stem(in_channels, stem_dim)
        self.channels, self.strides = list(self.stem.channels[:-1]), list(self.stem.strides[:-1])
        self.cells = nn.ModuleList()
        self.reductions: list[int] = []  # the cells that halve the size
        self.held: list[int] = []  # the cells behind which the older input stays the same
        older = newer = (stem_dim, self.stem.stride)  # channels and stride of the two inputs
        for i, (kind, width) in enumerate(plan):
            entry = "shrink" if older[1] < newer[1] else "conv_1x1"
            drop = drop_path * i / max(1, len(plan) - 1)
            if kind == "normal":
                cell = Cell((older[0], newer[0]), width, NORMAL, NORMAL_OUTPUT, layer, 1, entry, drop)
                older, newer = newer, (6 * width, newer[1])
            else:
                if i == 0:
                    entry = "skip_connect"  # there is one input yet, which the cell reads as it is
                cell = Cell((older[0], newer[0]), width, REDUCTION, REDUCTION_OUTPUT, layer, 2, entry, drop)
                self.reductions.append(i)
                self.channels.append(newer[0])
                self.strides.append(newer[1])
                if skip_reduction and i >= stem_cells:
                    self.held.append(i)
                older, newer = older if i in self.held else newer, (4 * width, 2 * newer[1])
            self.cells.append(cell)
        self.channels.append(newer[0])
        self.strides.append(newer[1])
        self.auxiliary_cell = self.reductions[-1] - 1  # the last before the size is halved for the last time
        self.act = activation()
        self.pool = pooling(newer[0])
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(newer[0], num_classes)
        self.classifier = ("pool", "drop", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map before each reduction cell, and the last one, which is activated."""
        *maps, x = self.stem.features(x)
        for i, y in enumerate(self.outputs_of_cells(x)):
            if i in self.reductions:
                maps.append(x)
            x = y
        return [*maps, self.act(x)]

    def with_cell(self, x: Tensor, cell: int) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) → (B, num_classes) and the output of that cell."""
        outputs = list(self.outputs_of_cells(self.stem(x)))
        return self.classify(self.act(outputs[-1])), outputs[cell]

    def outputs_of_cells(self, newer: Tensor) -> Iterator[Tensor]:
        """The stem's map → the output of each cell, one after the other."""
        older = newer
        for i, cell in enumerate(self.cells):
            y = cell(older, newer)
            yield y
            older, newer = older if i in self.held else newer, y

    def classify(self, x: Tensor) -> Tensor:
        """The last map (B, C, h, w) → (B, num_classes)."""
        return self.head(self.drop(self.pool(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        return self.classify(self.features(x)[-1])


class SameMaxPool2d(nn.Module):
    """The largest value of each window, padded as TensorFlow's "same" (`padding` is not used).

    Shapes: (B, C, H, W) → (B, C, ⌈H / stride⌉, ⌈W / stride⌉).
    """

    def __init__(self, kernel_size: int, stride: int, padding: int):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        top, left = (same_padding(size, self.kernel_size, self.stride)[0] for size in x.shape[2:])
        return F.max_pool2d(x, self.kernel_size, self.stride, (top, left), ceil_mode=True)


class SameMeanPool2d(nn.Module):
    """The mean of the pixels in each window, padded as TensorFlow's "same" (`padding` is not used).

    Shapes: (B, C, H, W) → (B, C, ⌈H / stride⌉, ⌈W / stride⌉).
    """

    def __init__(self, kernel_size: int, stride: int, padding: int):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        top, left = (same_padding(size, self.kernel_size, self.stride)[0] for size in x.shape[2:])
        return F.avg_pool2d(x, self.kernel_size, self.stride, (top, left), ceil_mode=True, count_include_pad=False)


_PAPER = "Zoph et al. 2017, arXiv:1707.07012; the count: tensorflow/models, research/slim/nets/nasnet"


PRESETS: dict[str, dict] = {
    "mobile": {"args": {"dim": 44, "depth": 4}, "params": 5289978, "source": _PAPER},
    "large": {
        "args": {"dim": 168, "depth": 6, "stem_dim": 96, "skip_reduction": True},
        "params": 88753150,
        "source": _PAPER,
    },
}
