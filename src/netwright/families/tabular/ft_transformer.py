"""FT-Transformer: every column of a table is a token.

Source: Gorishniy et al. 2021, Revisiting deep learning models for tabular data, arXiv:2106.11959 (§3.3).
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import Identity, LayerNorm, ReLU

from netwright.blocks.categorical import CategoricalTokens
from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.numeric import LinearEmbedding
from netwright.blocks.slots import Channel, Mixer, Norm, Numeric
from netwright.blocks.transformer import TransformerBlock

__all__ = ["FTTransformer"]


class FTTransformer(nn.Module):
    """A class token and one token for each column → transformer blocks → the class token → norm, ReLU, head.

    The first block has no norm before its mixer: the embedding's scale carries information. `numeric` must
    give tokens of width `dim` (any but `Raw`); `dropout` acts at the end of each residual branch.

    Shapes: x_num (B, F), x_cat (B, C) or None → (B, num_classes).
    """

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        num_classes: int = 1,
        dim: int = 192,
        depth: int = 3,
        numeric: Numeric = LinearEmbedding,
        mixer: Mixer = partial(Attention, num_heads=8, dropout=0.2),
        channel: Channel = partial(GatedFeedForward, mlp_ratio=4 / 3, activation=ReLU, dropout=0.1),
        norm: Norm = LayerNorm,
        dropout: float = 0.0,
    ):
        super().__init__()
        if not num_features and not cardinalities:
            raise ValueError("a table has at least one column: num_features is 0, cardinalities is empty")
        self.class_token = nn.Parameter(torch.empty(1, 1, dim).uniform_(-(dim**-0.5), dim**-0.5))
        self.numeric = numeric(num_features, dim) if num_features else None
        self.categorical = CategoricalTokens(cardinalities, dim) if cardinalities else None
        if self.numeric is not None and self.numeric.dim != dim:
            raise ValueError(f"numeric must give tokens of width {dim}, not {self.numeric.dim}")
        self.blocks = nn.ModuleList(TransformerBlock(dim, mixer, channel, norm, dropout=dropout) for _ in range(depth))
        if depth:
            self.blocks[0].norm1 = Identity()
        self.norm = norm(dim)
        self.act = ReLU()
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x_num: Tensor, x_cat: Tensor | None = None) -> Tensor:
        tokens = [self.class_token.expand(x_num.shape[0], -1, -1)]
        if self.numeric is not None:
            tokens.append(self.numeric(x_num))
        if self.categorical is not None:
            tokens.append(self.categorical(x_cat))
        x = torch.cat(tokens, 1)  # (B, 1 + F + C, D)
        for block in self.blocks:
            x = block(x)
        return self.head(self.act(self.norm(x[:, 0])))


def _preset(depth: int, dim: int, attention: float, hidden: float, params: int) -> dict:
    """One rung of the authors' ladder of defaults, which grows width and dropout with the depth."""
    mixer = {"attention": {"num_heads": 8, "dropout": attention}}
    channel = {"gatedfeedforward": {"mlp_ratio": 4 / 3, "activation": "relu", "dropout": hidden}}
    return {
        "args": {"dim": dim, "depth": depth, "mixer": mixer, "channel": channel},
        "inputs": {"num_features": 8, "cardinalities": [3, 5]},
        "params": params,
        "source": "Gorishniy et al. 2021, arXiv:2106.11959; the authors' package rtdl_revisiting_models",
    }


PRESETS: dict[str, dict] = {
    "1": _preset(1, 96, 0.1, 0.0, 77_537),
    "2": _preset(2, 128, 0.15, 0.05, 268_201),
    "3": _preset(3, 192, 0.2, 0.1, 896_833),
    "4": _preset(4, 256, 0.25, 0.15, 2_115_241),
    "5": _preset(5, 320, 0.3, 0.2, 4_120_421),
    "6": _preset(6, 384, 0.35, 0.25, 7_115_521),
}
