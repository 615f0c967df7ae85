"""The pre-norm transformer block."""

from torch import Tensor, nn
from torch.nn import Identity, LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.drop_path import DropPath
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.slots import Channel, Mixer, Norm, Scale


class TransformerBlock(nn.Module):
    """Mix the tokens, then the channels, each as a residual branch behind a norm.

    x ← x + γ₁ mixer(norm₁(x)); x ← x + γ₂ channel(norm₂(x)). With a mixer of maps (`WindowAttention`) x is a map
    (B, H, W, D), and the mask is what that mixer takes.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, N, D).
    Source: Xiong et al. 2020, On layer normalization in the transformer architecture, arXiv:2002.04745.
    """

    def __init__(
        self,
        dim: int,
        mixer: Mixer = Attention,
        channel: Channel = FeedForward,
        norm: Norm = LayerNorm,
        scale: Scale = Identity,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.norm1 = norm(dim)
        self.mixer = mixer(dim)
        self.scale1 = scale(dim)
        self.norm2 = norm(dim)
        self.channel = channel(dim)
        self.scale2 = scale(dim)
        self.drop = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.drop_path(self.scale1(self.drop(self.mixer(self.norm1(x), mask))))
        x = x + self.drop_path(self.scale2(self.drop(self.channel(self.norm2(x)))))
        return x
