"""What was trained before and can be held still while the rest learns."""

from torch import nn

from netwright.errors import InputError

BACKBONES = ("backbone", "pyramid.backbone")
"""Where a network for masks or boxes holds the backbone that published weights are given to."""


def backbone_of(network: nn.Module) -> str:
    """The backbone's name in the network; empty where there is none."""
    names = {name for name, _ in network.named_modules()}
    return next((name for name in BACKBONES if name in names), "")


def trained_before(network: nn.Module) -> tuple[str, ...]:
    """How the names begin of the modules and parameters that published weights fill, each with a dot at its end.

    The others begin at random, and learn alone in a probe. Of a network on a backbone it is the backbone, of a
    classifier all but what it calls its `classifier`. Empty for a network with neither.
    """
    backbone = backbone_of(network)
    if backbone:
        return (f"{backbone}.",)
    fresh = getattr(network, "classifier", ())
    parts = [*network.named_children(), *network.named_parameters(recurse=False)] if fresh else []
    return tuple(f"{name}." for name, _ in parts if name not in fresh)


class Backbone:
    """What was trained before (`trained_before`), to be held still.

    Held, its parameters get no gradient and its layers are in eval mode, so that batch statistics stay too.
    Source: Kumar et al. 2022, Fine-tuning can distort pretrained features, arXiv:2202.10054.

    InputError for a network with neither a classifier nor a backbone: held still, nothing would learn.
    """

    def __init__(self, network: nn.Module):
        before = trained_before(network)
        if not before:
            what = f"{type(network).__name__} does not name a classifier, nor has it a backbone: nothing learns alone"
            raise InputError(what, where="recipe.probe", fix="leave probe out, or take a family for images")
        self.layers = [module for name, module in network.named_modules() if f"{name}.".startswith(before)]
        self.parameters = [p for name, p in network.named_parameters() if f"{name}.".startswith(before)]

    def hold(self, still: bool) -> None:
        """Hold it still, or let it learn. The network's own train() undoes half of it: call this after it."""
        for parameter in self.parameters:
            parameter.requires_grad_(not still)
        for layer in self.layers:
            layer.training = not still
