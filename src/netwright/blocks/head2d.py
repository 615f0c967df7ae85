"""From a feature map to a score for each class at each pixel, (B, C, H, W) → (B, num_classes, H, W): kind `head2d`."""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["FCNHead"]


class FCNHead(nn.Module):
    """A 3 × 3 convolution to a quarter of the channels, dropout, a 1 × 1 convolution to the classes.

    Shapes: (B, C, H, W) → (B, num_classes, H, W).
    Source: Long et al. 2014, Fully convolutional networks, arXiv:1411.4038, in torchvision's form.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.conv = ConvNormAct(in_channels, max(1, in_channels // 4), 3, norm=norm, activation=activation)
        self.drop = nn.Dropout(dropout)
        self.score = nn.Conv2d(max(1, in_channels // 4), num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.drop(self.conv(x)))
