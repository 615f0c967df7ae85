"""A reference's checkpoint, with random weights and written by it, loaded into ours."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from netwright.weights import Loaded, load_into

Call = Callable[[nn.Module, Tensor], Tensor]


def plainly(net: nn.Module, x: Tensor) -> Tensor:
    return net(x)


def logits(net: nn.Module, x: Tensor) -> Tensor:
    """transformers' networks return an object."""
    return net(x).logits


def raw(net: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([part.flatten(1) for part in net.raw(x)], 1)


def assert_loads(
    ours: nn.Module,
    theirs: nn.Module,
    folder: Path,
    x: Tensor,
    call: Call = plainly,
    our_call: Call = plainly,
) -> Loaded:
    """Their file makes ours give what they give, in eval mode; every tensor of ours is loaded."""
    if hasattr(theirs, "save_pretrained"):
        theirs.save_pretrained(folder)  # with the names that transformers writes
        loaded = load_into(ours, folder)
    else:
        save_file(theirs.state_dict(), folder / "weights.safetensors")
        loaded = load_into(ours, folder / "weights.safetensors")
    assert set(loaded.loaded) == {key for key in ours.state_dict() if "num_batches" not in key}
    with torch.no_grad():
        expected, found = call(theirs.eval(), x), our_call(ours.eval(), x)
    assert found.shape == expected.shape and expected.std() > 0
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5
    return loaded
