"""A backbone and a neck: an image becomes maps of several scales."""

from typing import Any

from torch import Tensor, nn

from netwright.blocks.headless import headless
from netwright.blocks.slots import Backbone, Neck

__all__ = ["Pyramid"]


class Pyramid(nn.Module):
    """The neck over those maps of the backbone whose stride is `finest` or more, one for each stride.

    Shapes: (B, C, H, W) → a list of (B, channels[i], H / strides[i], W / strides[i]), finest first.
    Source: Lin et al. 2016, Feature pyramid networks, arXiv:1612.03144.
    """

    def __init__(self, in_channels: int, backbone: Backbone, neck: Neck, finest: int):
        super().__init__()
        network: Any = headless(backbone, in_channels)
        strides: list[int] = network.strides
        last = {stride: i for i, stride in enumerate(strides) if stride >= finest}  # the deepest of each stride
        if not last:
            raise ValueError(f"the backbone has no map of stride {finest} or more, only {strides}: give it more stages")
        self.chosen = list(last.values())
        self.backbone = network
        self.neck = neck([network.channels[i] for i in self.chosen], list(last))
        self.channels, self.strides = list(self.neck.channels), list(self.neck.strides)

    @property
    def dim(self) -> int:
        """The channels of all maps, for heads that all maps share; ValueError where they differ."""
        if len(set(self.channels)) > 1:
            raise ValueError(f"all maps of the neck must have the same channels, got {self.channels}")
        return self.channels[0]

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = self.backbone.features(images)
        return self.neck([maps[i] for i in self.chosen])
