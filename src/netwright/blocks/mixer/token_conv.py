"""A convolution as a token mixer."""

from torch import Tensor, nn


class TokenConv(nn.Module):
    """Each token sees its neighbours in the sequence, each channel by itself: W₂ (w ∗ W₁ x), w of k tokens.

    Padding counts as zero. The order of the tokens is all that it knows of where they are: tokens of an image are
    neighbours along the rows.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, N, D).
    Source: Wu et al. 2019, Pay less attention with lightweight and dynamic convolutions, arXiv:1901.10430.
    """

    def __init__(self, dim: int, kernel_size: int = 7, bias: bool = True):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}: an even one has no token in its middle")
        self.value = nn.Linear(dim, dim, bias=bias)
        self.conv = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim, bias=bias)
        self.proj = nn.Linear(dim, dim, bias=bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.value(x)
        if mask is not None:
            x = x * mask.unsqueeze(-1)
        return self.proj(self.conv(x.transpose(1, 2)).transpose(1, 2))
