"""SegFormer: a transformer with maps of four scales, and a decoder of linear maps alone."""

import torch
from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct, fan_in_init
from netwright.blocks.headless import headless
from netwright.blocks.pyramid import pyramid
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Activation, Backbone, Norm2d
from netwright.families.vision.mit import MixTransformer

__all__ = ["PRESETS", "SegFormer"]


class SegFormer(nn.Module):
    """Each of the four coarsest maps → `dim` channels → the finest one's size; together → classes. Default: B0.

    Any backbone fits; one whose maps all have one stride (a plain transformer) gets four scales first.

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Xie et al. 2021, SegFormer, arXiv:2105.15203.
    """

    def __init__(
        self,
        num_classes: int = 150,
        in_channels: int = 3,
        backbone: Backbone = MixTransformer,
        dim: int = 256,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.backbone = headless(backbone, in_channels)
        self.pyramid = pyramid(self.backbone.channels, self.backbone.strides, 4)
        self.linear = nn.ModuleList(nn.Conv2d(channels, dim, 1) for channels in self.pyramid.channels)
        self.fuse = ConvNormAct(dim * len(self.linear), dim, 1, norm=norm, activation=activation)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Conv2d(dim, num_classes, 1)
        for module in (self.linear, self.fuse, self.head):
            module.apply(fan_in_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        maps = self.pyramid(self.backbone.features(x))
        size = maps[0].shape[-2:]
        maps = [resize_bilinear(linear(m), size) for linear, m in zip(self.linear, maps, strict=True)]
        y = self.fuse(torch.cat(maps[::-1], 1))  # coarsest first
        return resize_bilinear(self.head(self.drop(y)), x.shape[-2:])


PRESETS: dict[str, dict] = {
    name: {
        "args": {"backbone": f"mit:{name}", "dim": dim},
        "params": params,
        "source": "Xie et al. 2021, arXiv:2105.15203; exact count: transformers 5.23.0",
        "inputs": {"in_channels": 3, "num_classes": 150},
    }
    for name, dim, params in [
        ("b0", 256, 3752694),
        ("b1", 256, 13715798),
        ("b2", 768, 27461974),
        ("b3", 768, 47337814),
        ("b4", 768, 64108374),
        ("b5", 768, 84708694),
    ]
}
