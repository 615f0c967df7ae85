"""Stochastic depth."""

from torch import Tensor, nn


class DropPath(nn.Module):
    """Drop a residual branch for whole samples, with probability p, in training only.

    y = x · b / (1 − p), b ~ Bernoulli(1 − p) for each sample.
    Shapes: (B, …) → (B, …).
    Source: Huang et al. 2016, Deep networks with stochastic depth, arXiv:1603.09382.
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if self.p == 0.0 or not self.training:
            return x
        keep = 1.0 - self.p
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * mask / keep

    def extra_repr(self) -> str:
        return f"p={self.p}"
