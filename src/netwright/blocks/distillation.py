"""Losses of a student that learns from a teacher and from the labels."""

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["HardDistillation", "SoftDistillation"]


class HardDistillation(nn.Module):
    """The teacher's decision is a second label: (1 − λ) CE(z, y) + λ CE(z, argmax zₜ), λ = `teacher_weight`.

    A student with a distillation token gives the logits of two heads (`DeiT` in training): the first learns the
    labels, the second the teacher's decisions. `label_smoothing` acts on the labels only.

    Shapes: logits (B, 2, C) or (B, C), target (B,) or probabilities (B, C), teacher's logits (B, C) → ().
    Source: Touvron et al. 2020, DeiT, arXiv:2012.12877, equation 3.
    """

    def __init__(self, teacher_weight: float = 0.5, label_smoothing: float = 0.0):
        super().__init__()
        self.teacher_weight, self.label_smoothing = teacher_weight, label_smoothing

    def forward(self, logits: Tensor, target: Tensor, teacher: Tensor) -> Tensor:
        own, taught = heads(logits)
        from_labels = F.cross_entropy(own, target, label_smoothing=self.label_smoothing)
        from_teacher = F.cross_entropy(taught, teacher.argmax(-1))
        return (1 - self.teacher_weight) * from_labels + self.teacher_weight * from_teacher


class SoftDistillation(nn.Module):
    """The teacher's probabilities at a temperature: (1 − λ) CE(z, y) + λ τ² KL(softmax(zₜ / τ) ‖ softmax(z / τ)).

    λ is `teacher_weight`, τ the `temperature`; the factor τ² keeps the gradient's size. A student with two heads
    is treated as by `HardDistillation`.

    Shapes: logits (B, 2, C) or (B, C), target (B,) or probabilities (B, C), teacher's logits (B, C) → ().
    Source: Hinton et al. 2015, arXiv:1503.02531; Touvron et al. 2020, arXiv:2012.12877, equation 2.
    """

    def __init__(self, teacher_weight: float = 0.1, temperature: float = 3.0, label_smoothing: float = 0.0):
        super().__init__()
        self.teacher_weight, self.temperature, self.label_smoothing = teacher_weight, temperature, label_smoothing

    def forward(self, logits: Tensor, target: Tensor, teacher: Tensor) -> Tensor:
        own, taught = heads(logits)
        from_labels = F.cross_entropy(own, target, label_smoothing=self.label_smoothing)
        ours = (taught / self.temperature).log_softmax(-1)
        theirs = (teacher / self.temperature).log_softmax(-1)
        from_teacher = F.kl_div(ours, theirs, reduction="batchmean", log_target=True) * self.temperature**2
        return (1 - self.teacher_weight) * from_labels + self.teacher_weight * from_teacher


def heads(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The logits that learn from labels and those that learn from the teacher: (B, 2, C), or (B, C) for both."""
    return (logits[:, 0], logits[:, 1]) if logits.ndim == 3 else (logits, logits)
