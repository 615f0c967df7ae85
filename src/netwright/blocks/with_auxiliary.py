"""A network of cells with a second classifier inside, and the loss of both."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.auxiliary import AuxiliaryHead
from netwright.blocks.slots import Auxiliary, Backbone

__all__ = ["AuxiliaryLoss", "WithAuxiliary"]


class WithAuxiliary(nn.Module):
    """A classifier made of cells (`NASNet`, `DARTS`), with a second head on the output of one cell.

    Training and evaluation differ on purpose, as in `DeiT`. In training the forward gives the logits of both,
    (B, 2, num_classes): first the network's own, then the second head's, whose gradients reach the early cells on a
    short way (`AuxiliaryLoss`). In evaluation it gives the network's alone, (B, num_classes), and the head does
    nothing: `network` by itself is what was trained.

    `cell` counts from 0; where it is not given it is the paper's, `network.auxiliary_cell`.

    Shapes: (B, C, H, W) → (B, 2, num_classes) in training, (B, num_classes) in evaluation.
    Source: Szegedy et al. 2014, Going deeper with convolutions, arXiv:1409.4842.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        network: Backbone,
        auxiliary: Auxiliary = AuxiliaryHead,
        cell: int | None = None,
    ):
        super().__init__()
        self.network = network(num_classes, in_channels)
        if not hasattr(self.network, "with_cell"):
            raise ValueError(f"{type(self.network).__name__} has no cells whose output a second head could read")
        self.cell = self.network.auxiliary_cell if cell is None else cell
        if not 0 <= self.cell < len(self.network.cells):
            raise ValueError(f"cell must lie in 0 … {len(self.network.cells) - 1}, got {self.cell}")
        self.auxiliary = auxiliary(self.network.cells[self.cell].out_channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self.network(x)
        logits, inside = self.network.with_cell(x, self.cell)
        return torch.stack([logits, self.auxiliary(inside)], 1)


class AuxiliaryLoss(nn.Module):
    """CE(z, y) + w CE(zₐ, y) of the logits z and those of a second head, w = `auxiliary_weight`.

    Logits of one head alone, which a network in evaluation gives, have the first part only.

    Shapes: logits (B, 2, C) or (B, C), target (B,) or probabilities (B, C) → ().
    Source: Szegedy et al. 2014, arXiv:1409.4842 (w = 0.3); Zoph et al. 2017 and Liu et al. 2018 (0.4).
    """

    def __init__(self, auxiliary_weight: float = 0.4, label_smoothing: float = 0.0):
        super().__init__()
        self.auxiliary_weight, self.label_smoothing = auxiliary_weight, label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        if logits.ndim == 2:
            return F.cross_entropy(logits, target, label_smoothing=self.label_smoothing)
        own, inside = (F.cross_entropy(z, target, label_smoothing=self.label_smoothing) for z in logits.unbind(1))
        return own + self.auxiliary_weight * inside
