"""How images and kernels lie in memory while a network trains."""

import torch
from torch import nn

NARROW = 16
"""Input channels from which on a strided 1 × 1 convolution is safe: the numbers in a vector of AVX-512."""


def layout_for(network: nn.Module, threads: int) -> torch.memory_format:
    """Channels last, which is faster on CPUs, unless that can corrupt memory in a training by several threads.

    The gradient of a strided 1 × 1 convolution with few input channels, the shortcut of a narrow residual network, is
    then written beyond its workspace; several threads overwrite each other's and what lies behind.
    Source: oneDNN issue 6035, https://github.com/uxlfoundation/oneDNN/issues/6035, open for PyTorch up to 2.14.
    """
    unsafe = threads > 1 and any(_overruns(module) for module in network.modules())
    return torch.contiguous_format if unsafe else torch.channels_last


def _overruns(module: nn.Module) -> bool:
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels // module.groups < NARROW
    )
