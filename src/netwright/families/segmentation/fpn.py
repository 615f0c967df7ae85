"""Panoptic FPN's semantic branch: a feature pyramid whose maps are brought to one size and summed."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import ReLU

from netwright.blocks.conv import ConvNormAct, fan_in_init
from netwright.blocks.headless import headless
from netwright.blocks.neck import FPN
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.pyramid import pyramid
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Activation, Backbone, Neck, Norm2d
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "PanopticFPN"]


class PanopticFPN(nn.Module):
    """Segmentation by a neck over the four coarsest scales of any backbone; the default is on ResNet-50.

    Each map is convolved to `dim` channels and doubled until it has the finest one's size. A backbone whose maps
    all have one stride (a plain transformer) gets four scales first (arXiv:2203.16527).

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Kirillov et al. 2019, Panoptic feature pyramid networks, arXiv:1901.02446.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        neck: Neck = FPN,
        dim: int = 128,
        norm: Norm2d = partial(GroupNorm, num_groups=32),
        activation: Activation = ReLU,
        dropout: float = 0.2,
    ):
        super().__init__()
        self.backbone = headless(backbone, in_channels)
        self.pyramid = pyramid(self.backbone.channels, self.backbone.strides, 4)
        self.neck = neck(self.pyramid.channels, self.pyramid.strides)
        self.branches = nn.ModuleList(
            Branch(channels, dim, i, norm, activation) for i, channels in enumerate(self.neck.channels)
        )
        self.drop = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(dim, num_classes, 1)
        self.branches.apply(fan_in_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        maps = self.neck(self.pyramid(self.backbone.features(x)))
        sizes = [m.shape[-2:] for m in maps]
        y = self.branches[0](maps[0], sizes)
        for branch, m in zip(self.branches[1:], maps[1:], strict=True):
            y = y + branch(m, sizes)
        return resize_bilinear(self.head(self.drop(y)), x.shape[-2:])


class Branch(nn.Module):
    """From the map of one scale to the finest one's size: convolve and double `doublings` times.

    Shapes: (B, C, H_i, W_i), the sizes of all maps → (B, D, H_0, W_0).
    """

    def __init__(self, in_channels: int, dim: int, doublings: int, norm: Norm2d, activation: Activation):
        super().__init__()
        self.convs = nn.ModuleList(
            ConvNormAct(dim if i else in_channels, dim, 3, norm=norm, activation=activation)
            for i in range(max(1, doublings))
        )

    def forward(self, x: Tensor, sizes: Sequence[Sequence[int]]) -> Tensor:
        for i, conv in enumerate(self.convs):
            x = resize_bilinear(conv(x), sizes[len(self.convs) - 1 - i])
        return x


PRESETS: dict[str, dict] = {
    name: {
        "args": {"backbone": name, "neck": "topdown"},
        "params": params,
        "source": "Kirillov et al. 2019, arXiv:1901.02446; exact count: segmentation_models_pytorch 0.6.0, FPN",
    }
    for name, params in [("resnet50", 26118613), ("resnet101", 45110741)]
}
