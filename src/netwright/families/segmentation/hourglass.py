"""Stacked hourglass: networks that look again at what the one before them found, for heatmaps of points."""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import fan_in_init
from netwright.blocks.hourglass import BiasedPreActBottleneck, Hourglass
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["PRESETS", "StackedHourglass"]


class StackedHourglass(nn.Module):
    """`num_stacks` hourglasses one after the other, each with its own heatmaps; the default is the paper's eight.

    Each stack but the last gives its features and its heatmaps, both by 1 × 1 convolutions, to the next one:
    x ← x + W f + V h. `forward` gives the last stack's heatmaps, at the image's size; training supervises those of
    every stack, which `outputs` gives.

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Newell et al. 2016, Stacked hourglass networks for human pose estimation, arXiv:1603.06937.
    """

    def __init__(
        self,
        num_classes: int = 16,
        in_channels: int = 3,
        dim: int = 256,
        depth: int = 4,
        num_stacks: int = 8,
        num_blocks: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        narrow, half = max(1, dim // 4), max(1, dim // 2)
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, narrow, 7, stride=2, padding=3),
            norm(narrow),
            in_place(activation()),
            BiasedPreActBottleneck(narrow, half, norm, activation),
            nn.MaxPool2d(2, ceil_mode=True),
            BiasedPreActBottleneck(half, dim, norm, activation),
            BiasedPreActBottleneck(dim, dim, norm, activation),
        )
        self.stacks = nn.ModuleList(
            Stack(num_classes, dim, depth, num_blocks, norm, activation) for _ in range(num_stacks)
        )
        self.feature_links = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(num_stacks - 1))
        self.heatmap_links = nn.ModuleList(nn.Conv2d(num_classes, dim, 1) for _ in range(num_stacks - 1))
        self.apply(fan_in_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        return resize_bilinear(self.heatmaps(x)[-1], x.shape[-2:])

    def outputs(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → (B, num_classes, H, W) of each stack, the last being that of `forward`."""
        return [resize_bilinear(y, x.shape[-2:]) for y in self.heatmaps(x)]

    def heatmaps(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → (B, num_classes, ⌈H / 4⌉, ⌈W / 4⌉) of each stack, as the paper compares them."""
        x, out = self.stem(x), []
        for i, stack in enumerate(self.stacks):
            features, heatmap = stack(x)
            out.append(heatmap)
            if i < len(self.feature_links):
                x = x + self.feature_links[i](features) + self.heatmap_links[i](heatmap)
        return out


class Stack(nn.Module):
    """An hourglass, residual blocks, a 1 × 1 convolution; and the heatmaps by another.

    Shapes: (B, D, H, W) → (B, D, H, W) and (B, num_classes, H, W).
    """

    def __init__(self, num_classes: int, dim: int, depth: int, num_blocks: int, norm: Norm2d, activation: Activation):
        super().__init__()
        self.hourglass = Hourglass(dim, depth, num_blocks, norm, activation)
        self.blocks = nn.Sequential(*(BiasedPreActBottleneck(dim, dim, norm, activation) for _ in range(num_blocks)))
        self.features = nn.Sequential(nn.Conv2d(dim, dim, 1), norm(dim), in_place(activation()))
        self.score = nn.Conv2d(dim, num_classes, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(self.blocks(self.hourglass(x)))
        return features, self.score(features)


_SOURCE = "Newell et al. 2016, arXiv:1603.06937; exact count: pytorch-stacked-hourglass 1.0.0a9"

PRESETS: dict[str, dict] = {
    name: {
        "args": {"num_stacks": stacks},
        "params": params,
        "source": _SOURCE,
        "inputs": {"in_channels": 3, "num_classes": 16},
    }
    for name, stacks, params in [("hg1", 1, 3586960), ("hg2", 2, 6730912), ("hg8", 8, 25594624)]
}
