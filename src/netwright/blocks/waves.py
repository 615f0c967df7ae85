"""Angles at which positions are told apart: slow and fast waves."""

import math

import torch
from torch import Tensor


def waves(n: Tensor, count: int, base: float) -> Tensor:
    """The angles n · base^(−i/count), i = 0 … count − 1. Shapes: positions n (N,) → (N, count)."""
    i = torch.arange(count, device=n.device, dtype=torch.float32)
    return n[:, None] * torch.exp(i * (-math.log(base) / count))
