"""What was trained before and can be held still while the classifier learns."""

from torch import nn

from netwright.errors import InputError


class Backbone:
    """All of a network but the children that only the class scores need (its `classifier`).

    Held, its parameters get no gradient and its layers are in eval mode, so that batch statistics stay too.
    Source: Kumar et al. 2022, Fine-tuning can distort pretrained features, arXiv:2202.10054.

    InputError for a network that does not say what its classifier is: held still, nothing would learn.
    """

    def __init__(self, network: nn.Module):
        classifier = getattr(network, "classifier", ())
        if not classifier:
            what = f"{type(network).__name__} does not name a classifier that could learn alone"
            raise InputError(what, where="recipe.probe", fix="leave probe out, or take a family for images")
        self.layers = [child for name, child in network.named_children() if name not in classifier]
        self.parameters = [p for name, p in network.named_parameters() if name.partition(".")[0] not in classifier]

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
