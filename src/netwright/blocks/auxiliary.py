"""Second classifiers on a map inside a network, for training alone: slot kind `auxiliary`."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.slots import Activation, Norm2d

__all__ = ["AuxiliaryHead"]


class AuxiliaryHead(nn.Module):
    """Means of 5 × 5 windows, 128 channels, one convolution over all of the rest, 768 channels, the classes.

    Between them norms and activations; `last_norm` is the second one. The windows are `stride` apart, and leave
    `grid` × `grid` pixels of the maps that the head is meant for: of 8 × 8 pixels 2 (DARTS, CIFAR), of 14 × 14 pixels
    4 (NASNet-A mobile), with a stride of 2 of 7 × 7 pixels 2 (DARTS, ImageNet, whose `last_norm` is the identity).
    Maps of other sizes are brought to that grid by means.

    Shapes: (B, C, H, W) → (B, num_classes).
    Source: Zoph et al. 2017, arXiv:1707.07012; Liu et al. 2018, arXiv:1806.09055 (their code).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        grid: int = 2,
        stride: int = 3,
        norm: Norm2d = BatchNorm2d,
        last_norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.grid, self.stride = grid, stride
        self.act = activation()
        self.conv1 = nn.Conv2d(in_channels, 128, 1, bias=False)
        self.norm1, self.act1 = norm(128), activation()
        self.conv2 = nn.Conv2d(128, 768, grid, bias=False)
        self.norm2, self.act2 = last_norm(768), activation()
        self.head = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        window = [min(5, side) for side in x.shape[2:]]
        x = F.avg_pool2d(self.act(x), window, self.stride)
        x = F.adaptive_avg_pool2d(x, self.grid)  # nothing, where the size is the one meant
        x = self.act1(self.norm1(self.conv1(x)))
        x = self.act2(self.norm2(self.conv2(x)))  # (B, 768, 1, 1)
        return self.head(x.flatten(1))
