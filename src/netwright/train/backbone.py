"""What was trained before and can be held still while the rest learns."""

from torch import nn

from netwright.errors import InputError

BACKBONE = "backbone"
"""The child of a network for masks (and the like) that published weights are given to."""


def learns_alone(network: nn.Module) -> tuple[str, ...]:
    """The children that begin at random beside published weights, and learn alone in a probe.

    A classifier says which (`classifier`); of a network on a backbone it is all the others. Empty where a network
    has neither.
    """
    children = [name for name, _ in network.named_children()]
    if BACKBONE in children:
        return tuple(name for name in children if name != BACKBONE)
    return tuple(getattr(network, "classifier", ()))


class Backbone:
    """All of a network but the children that learn alone (`learns_alone`).

    Held, its parameters get no gradient and its layers are in eval mode, so that batch statistics stay too.
    Source: Kumar et al. 2022, Fine-tuning can distort pretrained features, arXiv:2202.10054.

    InputError for a network with neither a classifier nor a backbone: held still, nothing would learn.
    """

    def __init__(self, network: nn.Module):
        alone = learns_alone(network)
        if not alone:
            what = f"{type(network).__name__} does not name a classifier, nor has it a backbone: nothing learns alone"
            raise InputError(what, where="recipe.probe", fix="leave probe out, or take a family for images")
        self.layers = [child for name, child in network.named_children() if name not in alone]
        self.parameters = [p for name, p in network.named_parameters() if name.partition(".")[0] not in alone]

    def hold(self, still: bool) -> None:
        """Hold it still, or let it learn. The network's own train() undoes half of it: call this after it."""
        if still is self.parameters[0].requires_grad:
            for parameter in self.parameters:
                parameter.requires_grad_(not still)
        if still and any(layer.training for layer in self.layers):
            for layer in self.layers:
                layer.eval()
        elif not still and not all(layer.training for layer in self.layers):
            for layer in self.layers:
                layer.train()
