"""The two-layer perceptron of a transformer block."""

from torch import Tensor, nn
from torch.nn import GELU, Identity

from netwright.blocks.slots import Activation, Norm


class FeedForward(nn.Module):
    """Widen, bend, narrow: W₂ norm(σ(W₁ x)), with `mlp_ratio` · D hidden channels and, by default, no norm.

    Shapes: (…, D) → (…, D).
    Source: Vaswani et al. 2017, arXiv:1706.03762; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415; a norm of
    the hidden channels: Woo et al. 2023, ConvNeXt V2, arXiv:2301.00808.
    """

    def __init__(
        self,
        dim: int,
        mlp_ratio: float = 4.0,
        activation: Activation = GELU,
        dropout: float = 0.0,
        norm: Norm = Identity,
    ):
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.fc1 = nn.Linear(dim, hidden)
        self.act = activation()
        self.drop = nn.Dropout(dropout)
        self.norm = norm(hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.norm(self.drop(self.act(self.fc1(x)))))
