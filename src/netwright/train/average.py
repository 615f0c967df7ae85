"""Averaging of the weights over the last steps."""

import copy

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of parameters and buffers: θ̄ ← d θ̄ + (1 − d) θ.

    The decay d starts low and grows to `decay`, so that the first random weights are soon forgotten.
    Source: Polyak & Juditsky 1992; as used in Tan & Le 2019, arXiv:1905.11946.
    """

    def __init__(self, module: nn.Module, decay: float):
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        weight = 1.0 - min(self.decay, (step + 1) / (step + 10))
        ours = [*self.module.parameters(), *self.module.buffers()]
        theirs = [*module.parameters(), *module.buffers()]
        real = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in real], [b for _, b in real], weight)
        for a, b in zip(ours, theirs, strict=True):
            if not a.is_floating_point():  # counters
                a.copy_(b)
