"""Published weights as the start of a training."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from netwright.train.backbone import trained_before

PRETRAINED = "pretrained.safetensors"
"""In a run's folder: the weights in the network's own names, without those of what begins at random."""


def keep(weights: Mapping[str, Tensor], path: Path) -> None:
    save_file({name: value.contiguous() for name, value in weights.items()}, path)


def kept(folder: Path) -> dict[str, Tensor]:
    """The weights that the runs of a folder begin from."""
    return load_file(folder / PRETRAINED)


def start_from(path: Path, network: nn.Module) -> None:
    """Give the network the weights of the file; what the file leaves out must begin at random."""
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    before = trained_before(network)
    strange = unexpected + [name for name in missing if f"{name}.".startswith(before)]
    if strange:
        raise ValueError(f"{path} is of another network: {', '.join(strange[:3])}")
