"""Losses by name. Outputs of shape (B, C), or (B, k, C) from a network of k members: each member has its own loss,
and the mean is taken, so that members learn by themselves and differ."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.errors import InputError


class CrossEntropy(nn.Module):
    """−Σ_c q_c log p_c with label smoothing q = (1 − ε)·onehot + ε/C (Szegedy et al. 2016, arXiv:1512.00567).

    Shapes: outputs (B, C) or (B, k, C); targets class codes (B,), or probabilities (B, C) of mixed samples → scalar.
    `class_weights` (C,): the mean over the batch is weighted by that of the true class.
    """

    class_weights: Tensor | None

    def __init__(self, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None):
        super().__init__()
        self.label_smoothing = label_smoothing
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        outputs, targets = _each_member(outputs, targets)
        return F.cross_entropy(outputs, targets, weight=self.class_weights, label_smoothing=self.label_smoothing)


class MeanSquaredError(nn.Module):
    """Mean of (output − target)². Shapes: outputs (B, 1) or (B, k, 1); targets (B,) → scalar."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(*_numbers(outputs, targets))


class Huber(nn.Module):
    """Squared up to `delta` from the target, linear beyond: for targets with outliers (Huber 1964).

    Shapes: outputs (B, 1) or (B, k, 1); targets (B,) → scalar. `delta` is in units of the standardised target.
    """

    def __init__(self, delta: float = 1.0):
        super().__init__()
        self.delta = delta

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.huber_loss(*_numbers(outputs, targets), delta=self.delta)


class CrossEntropyDice(nn.Module):
    """Cross-entropy of the pixels plus 1 − the mean soft Dice coefficient of the classes:

        Dice_c = 2 Σ p_c q_c / (Σ p_c + Σ q_c), over all pixels of the batch, for the classes that it shows

    Cross-entropy counts pixels, Dice counts classes: small ones are not drowned by the background.
    Shapes: outputs (B, C, H, W); targets class codes (B, H, W), 255 where a pixel has none → scalar.
    Source: Milletari et al. 2016, arXiv:1606.04797; the sum of both: Isensee et al. 2018, arXiv:1809.10486.
    """

    def __init__(self, ignore_index: int = 255):
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        targets = targets.long()
        known = targets != self.ignore_index
        pixels = known.sum().clamp_min(1)
        entropy = F.cross_entropy(outputs, targets, ignore_index=self.ignore_index, reduction="sum") / pixels
        truth = F.one_hot(targets * known, outputs.shape[1]).permute(0, 3, 1, 2) * known.unsqueeze(1)
        share = outputs.softmax(1) * known.unsqueeze(1)
        count = truth.sum((0, 2, 3))
        overlap = 2 * (share * truth).sum((0, 2, 3)) / (share.sum((0, 2, 3)) + count).clamp_min(1e-6)
        there = count > 0
        return entropy + 1 - (overlap * there).sum() / there.sum().clamp_min(1)


LOSSES: dict[str, type[nn.Module]] = {
    "cross_entropy": CrossEntropy,
    "mse": MeanSquaredError,
    "huber": Huber,
    "cross_entropy_dice": CrossEntropyDice,
}


def make_loss(
    name: str,
    *,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | None = None,
    delta: float = 1.0,
) -> nn.Module:
    """The loss of that name; each takes of the options what concerns it."""
    if name == "cross_entropy":
        return CrossEntropy(label_smoothing, class_weights)
    if name == "huber":
        return Huber(delta)
    if name == "cross_entropy_dice":
        return CrossEntropyDice()
    if name == "mse":
        return MeanSquaredError()
    raise InputError(f"{name!r} is not a loss", where="loss", fix=f"choose one of {', '.join(LOSSES)}")


def balanced_class_weights(targets: Tensor, num_classes: int) -> list[float]:
    """n / (K · n_c): every class weighs the same in sum; a class without rows weighs 1."""
    counts = torch.bincount(targets, minlength=num_classes)
    return [len(targets) / (num_classes * count) if count else 1.0 for count in counts.tolist()]


def _each_member(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """(B, k, C) → (B·k, C), with the targets repeated k times."""
    if outputs.dim() != 3:
        return outputs, targets
    return outputs.flatten(0, 1), targets.repeat_interleave(outputs.shape[1], dim=0)


def _numbers(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs and targets in one shape (B·k,); never broadcast (B, 1) against (B,)."""
    outputs, targets = _each_member(outputs, targets)
    if outputs.shape != (len(targets), 1):
        raise ValueError(f"outputs {tuple(outputs.shape)} do not match {len(targets)} targets: (B, 1) is needed")
    return outputs.squeeze(-1), targets.reshape(-1).to(outputs.dtype)
