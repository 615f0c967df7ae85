"""How weights begin, for `network.apply`."""

from torch import nn


def linear_init(module: nn.Module) -> None:
    """Linear maps: weights N(0, 0.02²), biases 0. (The papers' truncation at ±2 is a hundred deviations away.)"""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
