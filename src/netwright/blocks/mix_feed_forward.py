"""The perceptron with a convolution inside."""

from torch import Tensor, nn
from torch.nn import GELU

from netwright.blocks.slots import Activation


class MixFeedForward(nn.Module):
    """Widen, mix each channel with its neighbours, bend, narrow: W₂ σ(dw(W₁ x)), dw a depthwise 3 × 3 convolution.

    The zeros around the map tell each cell how far the edge is, so that no other positions are needed.

    Shapes: (B, H, W, D) → (B, H, W, D).
    Source: Xie et al. 2021, SegFormer (Mix-FFN), arXiv:2105.15203.
    """

    def __init__(self, dim: int, mlp_ratio: float = 4.0, activation: Activation = GELU):
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.fc1 = nn.Linear(dim, hidden)
        self.conv = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.act = activation()
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.fc1(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)  # channels-last in memory throughout
        return self.fc2(self.act(x))
