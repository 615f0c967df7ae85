"""A classifier as a backbone: what only the class scores need is taken off."""

from typing import Any

from netwright.blocks.slots import Backbone


def headless(backbone: Backbone, in_channels: int) -> Any:
    """The backbone without its classifier: `features(x)` works, and nothing is left that it does not use.

    `network.classifier` names the children that only the class scores need; `forward` is of no use any more.
    """
    network = backbone(1, in_channels)
    for name in network.classifier:
        delattr(network, name)
    return network
