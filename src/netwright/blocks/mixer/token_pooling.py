"""The mean of the neighbours as a token mixer."""

import torch.nn.functional as F
from torch import Tensor, nn


class TokenPooling(nn.Module):
    """How each token differs from its neighbours' mean, itself among them: y = mean(window around x) − x.

    There is nothing to learn: the residual branch that it stands in puts the mean in the place of the token. Windows
    are k tokens of a sequence, k × k cells of a map; what lies beyond the border, or is not real, does not count.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, N, D); or maps, x (B, H, W, D), mask ignored →
    (B, H, W, D).
    Source: Yu et al. 2021, MetaFormer is actually what you need for vision (PoolFormer), arXiv:2111.11418.
    """

    def __init__(self, dim: int, kernel_size: int = 3):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}: an even one has no token in its middle")
        self.kernel_size = kernel_size

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        k, maps = self.kernel_size, x.movedim(-1, 1)  # the channels first, as poolings want them
        if x.ndim == 4:
            mean = F.avg_pool2d(maps, k, 1, k // 2, count_include_pad=False)
        elif mask is None:
            mean = F.avg_pool1d(maps, k, 1, k // 2, count_include_pad=False)
        else:
            real = mask.unsqueeze(1).to(x.dtype)  # (B, 1, N)
            share = F.avg_pool1d(real, k, 1, k // 2).clamp_min(1 / (2 * k))  # of the window, never 0
            mean = F.avg_pool1d(maps * real, k, 1, k // 2) / share
        return mean.movedim(1, -1) - x
