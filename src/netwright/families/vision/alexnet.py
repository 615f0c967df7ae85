"""AlexNet: five convolutions and three fully connected layers, the network that began deep vision."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import kaiming_init
from netwright.blocks.downsample import MaxDownsample
from netwright.blocks.padding import pad_to
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["PRESETS", "AlexNet"]


class AlexNet(nn.Module):
    """Five convolutions, three poolings, `hidden` fully connected layers; the default is the one tower of 2014.

    `norm` is behind the first two activations; `groups` are those of each convolution, 2 where the first network lay
    on two GPUs that did not talk. Any size goes in: the last map is pooled to `grid` × `grid`. Padded as by
    torchvision, 224 pixels give the paper's 55 × 55; `features` pads a little more, so that its maps keep to their
    strides. The convolutions start as in arXiv:1502.01852, not as the paper's, whose N(0, 0.01) suits its widths only.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before each pooling and the last behind it,
    (B, channels[i], ⌊H / strides[i]⌋, ⌊W / strides[i]⌋), at least one pixel, of images of 4 pixels and more.
    Source: Krizhevsky et al. 2012, ImageNet classification with deep convolutional neural networks (NeurIPS);
    one tower: Krizhevsky 2014, arXiv:1404.5997, as in torchvision.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        widths: Sequence[int] = (64, 192, 384, 256, 256),
        groups: Sequence[int] = (1, 1, 1, 1, 1),
        norm: Norm2d = Identity,
        activation: Activation = ReLU,
        hidden: Sequence[int] = (4096, 4096),
        grid: int = 6,
        dropout: float = 0.5,
    ):
        super().__init__()
        if not len(widths) == len(groups) == 5:
            raise ValueError(f"widths and groups are five numbers each, one a convolution, got {widths}, {groups}")
        w1, w2, w3, w4, w5 = widths
        g1, g2, g3, g4, g5 = groups
        self.stage1 = nn.Sequential(nn.Conv2d(in_channels, w1, 11, 4, 2, groups=g1), in_place(activation()), norm(w1))
        self.stage2 = nn.Sequential(nn.Conv2d(w1, w2, 5, 1, 2, groups=g2), in_place(activation()), norm(w2))
        self.stage3 = nn.Sequential(
            nn.Conv2d(w2, w3, 3, 1, 1, groups=g3),
            in_place(activation()),
            nn.Conv2d(w3, w4, 3, 1, 1, groups=g4),
            in_place(activation()),
            nn.Conv2d(w4, w5, 3, 1, 1, groups=g5),
            in_place(activation()),
        )
        self.pool = MaxDownsample(3, 2)
        self.channels, self.strides = [w1, w2, w5, w5], [4, 8, 16, 32]

        self.resize = nn.AdaptiveAvgPool2d(grid)
        self.hidden = nn.Sequential()
        width = w5 * grid**2
        for out in hidden:
            self.hidden.extend([nn.Dropout(dropout), nn.Linear(width, out), in_place(activation())])
            width = out
        self.head = nn.Linear(width, num_classes)
        self.classifier = ("resize", "hidden", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map before each pooling and the last behind it, (B, channels[i], ⌊H / strides[i]⌋, …)."""
        maps = []
        x = F.pad(x, (0, 3, 0, 3))
        for stage in (self.stage1, self.stage2, self.stage3):
            maps.append(stage(x))
            x = self.pool(F.pad(maps[-1], (0, 1, 0, 1)))
        return [*maps, x]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.pool(self.stage1(pad_to(x, 11)))  # (B, w1, 27, 27), of an image of 224 × 224 pixels
        x = self.pool(self.stage2(x))  # (B, w2, 13, 13)
        x = self.pool(self.stage3(x))  # (B, w5, 6, 6)
        return self.head(self.hidden(self.resize(x).flatten(1)))


PRESETS: dict[str, dict] = {
    "one_tower": {
        "args": {},
        "params": 61100840,
        "source": "Krizhevsky 2014, arXiv:1404.5997, with torchvision's 256 maps in the fourth layer",
    },
    "two_gpus": {
        "args": {"widths": [96, 256, 384, 384, 256], "groups": [1, 2, 1, 2, 2], "norm": "localresponsenorm"},
        "params": 60965224,
        "source": "Krizhevsky et al. 2012 (NeurIPS), 60 million",
    },
}
