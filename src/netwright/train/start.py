"""Published weights as the start of a training."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

PRETRAINED = "pretrained.safetensors"
"""In a run's folder: the weights in the network's own names, without those of a classifier for other classes."""


def keep(weights: Mapping[str, Tensor], path: Path) -> None:
    save_file({name: value.contiguous() for name, value in weights.items()}, path)


def start_from(path: Path, network: nn.Module) -> None:
    """Give the network the weights of the file; what the file leaves out must be the classifier's."""
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    classifier = getattr(network, "classifier", ())
    strange = unexpected + [name for name in missing if name.partition(".")[0] not in classifier]
    if strange:
        raise ValueError(f"{path} is of another network: {', '.join(strange[:3])}")
