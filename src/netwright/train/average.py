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
        ours = [*self.module.parameters(), *self.module.buffers()]
        theirs = [*module.parameters(), *module.buffers()]
        pairs = list(zip(ours, theirs, strict=True))
        self._averaged = [a for a, _ in pairs if a.is_floating_point()]
        self._sources = [b for a, b in pairs if a.is_floating_point()]
        self._counters = [(a, b) for a, b in pairs if not a.is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the module's weights of this step (counted from 0) into the average."""
        weight = 1.0 - min(self.decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(self._averaged, self._sources, weight)
        for ours, theirs in self._counters:
            ours.copy_(theirs)
