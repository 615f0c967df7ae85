"""DeepLabV3: a dilated backbone, and an atrous pyramid over its last map."""

from collections.abc import Sequence

from torch import Tensor, nn

from netwright.blocks.context import ASPP
from netwright.blocks.conv import ConvNormAct, kaiming_init
from netwright.blocks.dilate import dilate
from netwright.blocks.headless import headless
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Backbone, Head2d
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "DeepLabV3"]


class DeepLabV3(nn.Module):
    """DeepLabV3 on any convolutional backbone; the default is on ResNet-50 at output stride 8.

    Rates 12, 24 and 36 are for output stride 8, half of them for 16. A backbone whose maps all have one stride (a
    plain transformer) stays as it is. `auxiliary` is a second head, on the map before the last, whose loss helps
    training: `outputs` gives its scores too, `forward` never does.

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Chen et al. 2017, Rethinking atrous convolution for semantic image segmentation, arXiv:1706.05587.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        output_stride: int = 8,
        dim: int = 256,
        rates: Sequence[int] = (12, 24, 36),
        auxiliary: Head2d | None = None,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.backbone = headless(backbone, in_channels)
        if len(set(self.backbone.strides)) > 1:
            dilate(self.backbone, in_channels, output_stride)
        self.aspp = ASPP(self.backbone.channels[-1], dim, rates, dropout=dropout)
        self.conv = ConvNormAct(dim, dim, 3)
        self.head = nn.Conv2d(dim, num_classes, 1)
        for module in (self.aspp, self.conv, self.head):
            module.apply(kaiming_init)
        self.auxiliary = auxiliary(self.backbone.channels[-2:][0], num_classes) if auxiliary is not None else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        return self.classify(self.backbone.features(x)[-1], x.shape[-2:])

    def outputs(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the auxiliary head's scores where there is one, then those of `forward`."""
        maps = self.backbone.features(x)
        scores = self.classify(maps[-1], x.shape[-2:])
        if self.auxiliary is None:
            return [scores]
        return [resize_bilinear(self.auxiliary(maps[-2:][0]), x.shape[-2:]), scores]

    def classify(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """The last map (B, C, h, w) → scores (B, num_classes, H, W)."""
        return resize_bilinear(self.head(self.conv(self.aspp(x))), size)


_TORCHVISION = "Chen et al. 2017, arXiv:1706.05587; torchvision 0.28.0"

PRESETS: dict[str, dict] = {
    "resnet50": {
        "args": {"backbone": "resnet50", "auxiliary": "fcnhead"},
        "params": 42004074,
        "source": _TORCHVISION,
    },
    "resnet101": {
        "args": {"backbone": "resnet101", "auxiliary": "fcnhead"},
        "params": 60996202,
        "source": _TORCHVISION,
    },
}
