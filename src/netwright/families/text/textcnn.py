"""TextCNN: one layer of convolutions over word vectors, and the largest answer of each."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import ReLU

from netwright.blocks.slots import Activation

__all__ = ["PRESETS", "TextCNN"]


class TextCNN(nn.Module):
    """Filters for phrases of 3, 4 and 5 words; a text is what each filter found at its best place.

    Token 0 is padding, always on the right; only windows of real tokens count (a text shorter than a filter
    is one window, filled up with zeros), so that padding changes nothing.

    Shapes: tokens (B, N) → (B, num_classes).
    Source: Kim 2014, Convolutional neural networks for sentence classification, arXiv:1408.5882 (CNN-rand).
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int = 2,
        dim: int = 300,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        maps: int = 100,
        activation: Activation = ReLU,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.kernel_sizes = tuple(kernel_sizes)
        self.convs = nn.ModuleList(nn.Conv1d(dim, maps, kernel_size) for kernel_size in kernel_sizes)
        self.act = activation()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(maps * len(kernel_sizes), num_classes)
        nn.init.uniform_(self.embedding.weight[1:], -0.25, 0.25)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N) → (B, num_classes)."""
        real = tokens != 0  # (B, N)
        length = real.sum(1, keepdim=True)  # (B, 1)
        x = (self.embedding(tokens) * real[:, :, None]).transpose(1, 2)  # (B, D, N)
        start = torch.arange(tokens.shape[1], device=tokens.device)  # (N,)
        found = []
        for k, conv in zip(self.kernel_sizes, self.convs, strict=True):
            y = self.act(conv(F.pad(x, (0, k - 1))))  # (B, maps, N): a window starts at each token
            whole = start <= (length - k).clamp(min=0)  # (B, N): the window ends within the text
            found.append(y.masked_fill(~whole[:, None, :], float("-inf")).amax(-1))
        return self.head(self.drop(torch.cat(found, dim=1)))


PRESETS: dict[str, dict] = {
    "kim": {
        # The paper gives no count; in closed form: embeddings, filters and their biases, head.
        "args": {"dim": 300, "kernel_sizes": [3, 4, 5], "maps": 100, "dropout": 0.5},
        "params": 300 * 18766 + 360_000 + 300 + 602,
        "inputs": {"vocab_size": 18766, "num_classes": 2},
        "source": "Kim 2014, arXiv:1408.5882: CNN-rand, 18,765 words of the MR data and padding",
    },
}
