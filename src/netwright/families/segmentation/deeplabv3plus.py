"""DeepLabV3+: DeepLabV3 with a small decoder that takes in a fine map for sharp borders."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwright.blocks.context import ASPP
from netwright.blocks.conv import ConvNormAct, kaiming_init
from netwright.blocks.conv2d import SeparableConv2d
from netwright.blocks.dilate import dilate
from netwright.blocks.headless import headless
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Backbone, Conv2d
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "DeepLabV3Plus"]


class DeepLabV3Plus(nn.Module):
    """DeepLabV3+ on any convolutional backbone; the default is on ResNet-50 at output stride 16.

    The decoder puts the pyramid's map, enlarged, beside `low_dim` channels of the deepest map at stride 4 or finer
    (the first map where there is none), and `num_convs` convolutions go over both. Rates 6, 12 and 18 are for
    output stride 16, twice those for 8. A backbone whose maps all have one stride (a plain transformer) stays as
    it is.

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Chen et al. 2018, Encoder-decoder with atrous separable convolution, arXiv:1802.02611.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        output_stride: int = 16,
        dim: int = 256,
        low_dim: int = 48,
        rates: Sequence[int] = (6, 12, 18),
        conv: Conv2d = SeparableConv2d,
        num_convs: int = 2,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.backbone = headless(backbone, in_channels)
        channels, strides = self.backbone.channels, list(self.backbone.strides)
        self.low = max((i for i, s in enumerate(strides[:-1]) if s <= 4), default=0)
        if len(set(strides)) > 1:
            dilate(self.backbone, in_channels, output_stride)
        self.aspp = ASPP(channels[-1], dim, rates, conv, dropout=dropout)
        self.conv = ConvNormAct(dim, dim, 3, conv=conv)
        self.reduce = ConvNormAct(channels[self.low], low_dim, 1)
        widths = [dim + low_dim] + [dim] * num_convs
        self.decoder = nn.Sequential(*(ConvNormAct(widths[i], dim, 3, conv=conv) for i in range(num_convs)))
        self.head = nn.Conv2d(dim, num_classes, 1)
        for module in (self.aspp, self.conv, self.reduce, self.decoder, self.head):
            module.apply(kaiming_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        maps = self.backbone.features(x)
        high = self.conv(self.aspp(maps[-1]))
        low = self.reduce(maps[self.low])
        high = resize_bilinear(high, low.shape[-2:])
        return resize_bilinear(self.head(self.decoder(torch.cat([high, low], 1))), x.shape[-2:])


PRESETS: dict[str, dict] = {
    "resnet50": {
        "args": {"backbone": "resnet50", "num_convs": 1},
        "params": 26682725,
        "source": "Chen et al. 2018, arXiv:1802.02611; segmentation_models_pytorch 0.6.0, DeepLabV3Plus",
    },
    "resnet101": {
        "args": {"backbone": "resnet101", "num_convs": 1},
        "params": 45674853,
        "source": "Chen et al. 2018, arXiv:1802.02611; segmentation_models_pytorch 0.6.0, DeepLabV3Plus",
    },
}
