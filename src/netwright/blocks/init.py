"""How weights begin, for `network.apply`."""

from torch import nn


def linear_init(module: nn.Module) -> None:
    """Linear maps: weights N(0, 0.02²), biases 0. (The papers' truncation at ±2 is a hundred deviations away.)"""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def lecun_init(module: nn.Module) -> None:
    """Linear maps and convolutions keep the variance of what goes through: weights N(0, 1 / fan in), biases 0.

    Source: LeCun et al. 1998, Efficient backprop.
    """
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def xavier_init(module: nn.Module) -> None:
    """Linear maps and patches keep the variance forwards and backwards: weights U(±√(6 / (in + out))), biases 0.

    Source: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
    """
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight.flatten(1))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
