"""SegNet: VGG's convolutions, and their mirror image, which unpools to where the maxima lay."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import fan_in_init
from netwright.blocks.slots import Activation, Norm2d
from netwright.blocks.unpooling import IndexedMaxPool, MaxUnpool

__all__ = ["PRESETS", "SegNet"]


class SegNet(nn.Module):
    """Encoder, decoder and nothing between them but the places of the maxima; the default is the paper's.

    Scale i has `depths[i]` convolutions of `dims[i]` channels on either side. The decoder gives to each scale the
    channels of the next finer one, and its last convolution is the class scores.

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Badrinarayanan et al. 2015, SegNet, arXiv:1511.00561.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        dims: Sequence[int] = (64, 128, 256, 512, 512),
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.pool, self.unpool = IndexedMaxPool(), MaxUnpool()
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        width = in_channels
        for dim, depth in zip(dims, depths, strict=True):
            self.encoder.append(convolutions([width] + [dim] * depth, norm, activation))
            width = dim
        for i in reversed(range(len(dims))):
            finer, depth = (dims[i - 1], depths[i]) if i > 0 else (dims[0], depths[0] - 1)
            self.decoder.append(convolutions([width] * depth + [finer], norm, activation))
            width = finer
        self.head = nn.Conv2d(width, num_classes, 3, padding=1)
        self.apply(fan_in_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        pooled = []
        for stage in self.encoder:
            x = stage(x)
            size = x.shape[-2:]
            x, places = self.pool(x)
            pooled.append((places, size))
        for stage in self.decoder:
            x = stage(self.unpool(x, *pooled.pop()))
        return self.head(x)


def convolutions(widths: Sequence[int], norm: Norm2d, activation: Activation) -> nn.Sequential:
    """3 × 3 convolutions from each width to the next, with bias as in VGG, each with norm and activation."""
    layers = nn.Sequential()
    for i in range(len(widths) - 1):
        layers.extend([nn.Conv2d(widths[i], widths[i + 1], 3, padding=1), norm(widths[i + 1]), in_place(activation())])
    return layers


PRESETS: dict[str, dict] = {
    "paper": {
        "args": {},
        "params": 29453971,
        "source": "Badrinarayanan et al. 2015, arXiv:1511.00561; exact count: pytorchcv 0.0.74, segnet_cityscapes",
        "inputs": {"in_channels": 3, "num_classes": 19},
    },
}
