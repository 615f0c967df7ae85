"""AdamW with the usual groups."""

import torch
from torch import nn


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict]:
    """Matrices and kernels decay; biases, norms, embeddings and other vectors do not (rule T10)."""
    embeddings = {id(p) for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for parameter in module.parameters():
        if parameter.requires_grad:
            (decayed if parameter.ndim >= 2 and id(parameter) not in embeddings else free).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


def adamw(module: nn.Module, lr: float, weight_decay: float, betas: tuple[float, float]) -> torch.optim.AdamW:
    """AdamW, fused (one pass over all tensors). Source: Loshchilov & Hutter 2017, arXiv:1711.05101."""
    groups = [group for group in parameter_groups(module, weight_decay) if group["params"]]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)
