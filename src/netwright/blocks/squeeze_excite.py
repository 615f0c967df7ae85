"""Squeeze and excitation."""

from torch import Tensor, nn
from torch.nn import ReLU, Sigmoid

from netwright.blocks.conv import round_channels
from netwright.blocks.slots import Activation


class SqueezeExcite(nn.Module):
    """Weigh each channel by what the whole image holds: x · gate(W₂ σ(W₁ mean(x))).

    The hidden layer has C / `reduction` channels, rounded to a multiple of `multiple`.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Hu et al. 2017, Squeeze-and-excitation networks, arXiv:1709.01507.
    """

    def __init__(
        self,
        dim: int,
        reduction: int = 16,
        multiple: int = 1,
        activation: Activation = ReLU,
        gate: Activation = Sigmoid,
    ):
        super().__init__()
        hidden = round_channels(dim // reduction, multiple)
        self.fc1 = nn.Conv2d(dim, hidden, 1)
        self.act = activation()
        self.fc2 = nn.Conv2d(hidden, dim, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        return x * self.gate(self.fc2(self.act(self.fc1(mean))))
