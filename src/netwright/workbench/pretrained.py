"""Published weights for a run: which network they are of, and what they ask of the data."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.advise.networks import network
from netwright.design import Spec, build, registry
from netwright.errors import InputError
from netwright.train.backbone import backbone_of
from netwright.weights import Input, Loaded, available, input_of, load, load_into, match

SMALLEST = 0.5
"""Images are brought to at least this share of the side that the weights were trained at."""


@dataclass(frozen=True)
class Pretrained:
    """Published weights: where they came from, the preset that they fit, and the images that they expect."""

    source: str
    preset: str
    tensors: dict[str, Tensor]
    input: Input

    @property
    def spec(self) -> Spec:
        """The network that the weights are of."""
        return Spec(self.preset)

    def image_size(self, side: int) -> int:
        """The side for images of `side` pixels: theirs, but no larger and not much smaller than the weights'."""
        return min(self.input.size, max(side, int(SMALLEST * self.input.size)))

    def moments(self, channels: int) -> tuple[list[float], list[float]]:
        known = self.input.for_channels(channels)
        return list(known.mean), list(known.std)

    def weights_for(self, contract: dict[str, Any], spec: Spec | None = None) -> tuple[dict[str, Tensor], Loaded]:
        """The weights in our names for a network of this contract, without those of a classifier for other classes.

        `spec` is the network where it is another one on this backbone: then they are the backbone's.
        InputError where they don't fit.
        """
        module = network(spec or self.spec, contract)
        at = backbone_of(module)
        home, prefix = module.get_submodule(at), f"{at}." if at else ""
        loaded = load_into(home, self.tensors)
        kept = {name: value for name, value in home.state_dict().items() if name not in loaded.left_out}
        return {prefix + name: value for name, value in kept.items()}, loaded


def find(asked: str, say: Callable[[str], None]) -> Pretrained | None:
    """What `--pretrained` names: a file, a folder, a hub id, or "auto"; None where "auto" finds nothing.

    `say` is told why each place that "auto" tries has none. InputError where a named source can't be read or is of
    no network that we know.
    """
    if asked != "auto":
        return recognise(asked)
    for place in available():
        try:
            return recognise(place)
        except InputError as error:
            say(f"not {place}: {error.what}")
    return None


def recognise(source: str) -> Pretrained:
    """The preset whose tensors the weights are: the first one that takes each of them."""
    source = str(Path(source).resolve()) if Path(source).exists() else source
    tensors = load(source)
    numbers = sum(value.numel() for value in tensors.values())
    for name, (family, preset) in registry().presets.items():
        published = family.presets[preset]
        if family.modality != "vision" or not 0.4 < numbers / published["params"] < 2.5:
            continue
        with torch.device("meta"):
            module = build(name, **published.get("inputs", {}))
        try:
            loaded = match(module, tensors)
        except InputError:
            continue
        return Pretrained(source, name, tensors, input_of(source) or loaded.input)
    raise InputError(
        f"these {len(tensors)} tensors are the weights of no network that is known here",
        where=f"--pretrained {source}",
        fix="give weights of torchvision, timm or transformers of a family of `netwright list`",
    )


def adaptations(loaded: Loaded) -> list[str]:
    """What was changed for these data, in sentences without their full stop."""
    changed = [f"{key}: {what}" for key, what in loaded.adapted.items()]
    return changed + [f"{key} {why}" for key, why in loaded.left_out.items() if why.startswith("stays")]
