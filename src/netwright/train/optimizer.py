"""AdamW with the usual groups, and slower rates for the layers that were trained before."""

import re

import torch
from torch import nn

from netwright.train.backbone import backbone_of


def parameter_groups(module: nn.Module, weight_decay: float, first_layer_lr: float = 1.0) -> list[dict]:
    """Matrices and kernels decay; biases, norms, embeddings and other vectors do not (rule T10).

    Each group has its rate relative to the last layer's under "scale": from `first_layer_lr` geometrically to 1.
    Source: Clark et al. 2020, ELECTRA, arXiv:2003.10555 (layer-wise learning-rate decay).
    """
    embeddings = {id(p) for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    layers = layers_of(module) if first_layer_lr != 1.0 else [list(module.parameters())]
    groups: list[dict] = []
    for i, layer in enumerate(layers):
        scale = first_layer_lr ** (1 - i / (len(layers) - 1)) if len(layers) > 1 else 1.0
        decayed = [p for p in layer if p.ndim >= 2 and id(p) not in embeddings]
        free = [p for p in layer if p.ndim < 2 or id(p) in embeddings]
        groups.append({"params": decayed, "weight_decay": weight_decay, "scale": scale})
        groups.append({"params": free, "weight_decay": 0.0, "scale": scale})
    return groups


def layers_of(module: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters of each layer, first to last: of `stages.2.0.conv.weight` the layer is `stages.2.0`.

    Of a network on a backbone, the backbone's; all that is not the backbone's is the last one.
    """
    layers: dict[str, list[nn.Parameter]] = {}
    pattern = layer_pattern(module)
    for name, parameter in module.named_parameters():
        found = re.match(pattern, name)
        assert found is not None
        layers.setdefault(found[0], []).append(parameter)
    return list(layers.values())


def layer_pattern(module: nn.Module) -> str:
    """What of a parameter's name is its layer's; nothing for those that are not the backbone's, where there is one."""
    layer = r"[^.]+(\.\d+)*"
    backbone = backbone_of(module)
    return rf"({re.escape(backbone)}\.{layer})?" if backbone else layer


def adamw(
    module: nn.Module, lr: float, weight_decay: float, betas: tuple[float, float], first_layer_lr: float = 1.0
) -> torch.optim.AdamW:
    """AdamW, fused (one pass over all tensors). Source: Loshchilov & Hutter 2017, arXiv:1711.05101."""
    groups = [group for group in parameter_groups(module, weight_decay, first_layer_lr) if group["params"]]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)
