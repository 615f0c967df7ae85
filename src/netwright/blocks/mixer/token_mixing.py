"""A perceptron across the tokens."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import GELU

from netwright.blocks.slots import Activation


class TokenMixing(nn.Module):
    """The same perceptron for each channel, over the tokens: y = (W₂ σ(W₁ xᵀ))ᵀ, `mlp_ratio` · D hidden channels.

    Each place has its own weights, so that no positions are needed and there are at most `num_tokens` tokens.
    Fewer of them, and those that a mask excludes, count as filled up with zeros.

    Shapes: x (B, N, D), N ≤ num_tokens, mask (B, N) true where a token is real → (B, N, D).
    Source: Tolstikhin et al. 2021, MLP-Mixer, arXiv:2105.01601.
    """

    def __init__(
        self,
        dim: int,
        num_tokens: int = 256,
        mlp_ratio: float = 0.5,
        activation: Activation = GELU,
        dropout: float = 0.0,
    ):
        super().__init__()
        hidden = max(1, int(dim * mlp_ratio))
        self.num_tokens = num_tokens
        self.fc1 = nn.Linear(num_tokens, hidden)
        self.act = activation()
        self.drop = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, num_tokens)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        N = x.shape[1]
        if self.num_tokens < N:
            raise ValueError(f"{N} tokens, but weights for {self.num_tokens} only: give num_tokens={N}")
        if mask is not None:
            x = x * mask.unsqueeze(-1)
        y = F.linear(x.transpose(1, 2), self.fc1.weight[:, :N], self.fc1.bias)  # (B, D, hidden)
        y = F.linear(self.drop(self.act(y)), self.fc2.weight[:N], self.fc2.bias[:N])
        return y.transpose(1, 2)
