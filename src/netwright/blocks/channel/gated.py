"""The gated perceptron: SwiGLU, GEGLU, ReGLU by its activation."""

from torch import Tensor, nn
from torch.nn import GELU, ReLU, SiLU

from netwright.blocks.slots import Activation


class GatedFeedForward(nn.Module):
    """One half of the hidden channels gates the other: W₂ (σ(W_g x) ⊙ W_v x); SiLU makes it SwiGLU.

    Gate and value are one fused matrix. With ratio 8/3 it has as many parameters as a plain block of ratio 4.

    Shapes: (…, D) → (…, D).
    Source: Shazeer 2020, GLU variants improve transformer, arXiv:2002.05202.
    """

    def __init__(
        self,
        dim: int,
        mlp_ratio: float = 8 / 3,
        activation: Activation = SiLU,
        dropout: float = 0.0,
        bias: bool = True,
    ):
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.fc1 = nn.Linear(dim, 2 * hidden, bias=bias)  # gate ‖ value
        self.act = activation()
        self.drop = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.fc1(x).chunk(2, dim=-1)
        return self.fc2(self.drop(self.act(gate) * value))


class SwiGLU(nn.Module):
    """The gated perceptron with SiLU (swish with β = 1): W₂ (SiLU(W_g x) ⊙ W_v x).

    Shapes: (…, D) → (…, D).
    Source: Shazeer 2020, GLU variants improve transformer, arXiv:2002.05202.
    """

    def __init__(self, dim: int, mlp_ratio: float = 8 / 3, dropout: float = 0.0, bias: bool = True):
        super().__init__()
        self.gated = GatedFeedForward(dim, mlp_ratio, SiLU, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.gated(x)


class GEGLU(nn.Module):
    """The gated perceptron with GELU: W₂ (GELU(W_g x) ⊙ W_v x).

    Shapes: (…, D) → (…, D).
    Source: Shazeer 2020, GLU variants improve transformer, arXiv:2002.05202.
    """

    def __init__(self, dim: int, mlp_ratio: float = 8 / 3, dropout: float = 0.0, bias: bool = True):
        super().__init__()
        self.gated = GatedFeedForward(dim, mlp_ratio, GELU, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.gated(x)


class ReGLU(nn.Module):
    """The gated perceptron with ReLU: W₂ (ReLU(W_g x) ⊙ W_v x).

    Shapes: (…, D) → (…, D).
    Source: Shazeer 2020, GLU variants improve transformer, arXiv:2002.05202.
    """

    def __init__(self, dim: int, mlp_ratio: float = 8 / 3, dropout: float = 0.0, bias: bool = True):
        super().__init__()
        self.gated = GatedFeedForward(dim, mlp_ratio, ReLU, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.gated(x)
