"""Token mixers, (B, N, D) → (B, N, D): slot kind `mixer`."""

from netwright.blocks.mixer.attention import Attention
from netwright.blocks.mixer.linear_attention import LinearAttention
from netwright.blocks.mixer.token_conv import TokenConv
from netwright.blocks.mixer.token_mixing import TokenMixing
from netwright.blocks.mixer.token_pooling import TokenPooling

__all__ = ["Attention", "LinearAttention", "TokenConv", "TokenMixing", "TokenPooling"]
