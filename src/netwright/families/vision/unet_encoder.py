"""The contracting path of U-Net as a backbone, and as a plain convolutional classifier."""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct, fan_in_init
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["PRESETS", "UNetEncoder"]


class UNetEncoder(nn.Module):
    """`depth` scales of two 3 × 3 convolutions each, with max-pooling between them that halves the size.

    Scale i has `dim` · 2ⁱ channels. Convolutions are padded, and pooling rounds sizes up, so that any size works.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each scale a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up, the first at the size of the image.
    Source: Ronneberger et al. 2015, U-Net, arXiv:1505.04597.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 64,
        depth: int = 5,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.channels = [dim * 2**i for i in range(depth)]
        self.strides = [2**i for i in range(depth)]
        self.stages = nn.ModuleList()
        for i, width in enumerate(self.channels):
            stage = nn.Sequential()
            if i > 0:
                stage.append(nn.MaxPool2d(2, ceil_mode=True))
            stage.append(ConvNormAct(in_channels, width, 3, norm=norm, activation=activation))
            stage.append(ConvNormAct(width, width, 3, norm=norm, activation=activation))
            self.stages.append(stage)
            in_channels = width
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(in_channels, num_classes)
        self.classifier = ("drop", "head")
        self.apply(fan_in_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each scale, (B, channels[i], H / strides[i], W / strides[i])."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.features(x)[-1].mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(x))


PRESETS: dict[str, dict] = {}  # the paper has it inside U-Net only
