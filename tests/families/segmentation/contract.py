"""What every network for segmentation promises, whatever it is made of."""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn

from netwright.export import eject_model
from tests.families.presets import resolve
from tests.families.vision import contract
from tests.families.vision.contract import images
from tests.parity import randomise

Make = Callable[..., nn.Module]


def check_sizes(make: Make, sizes: Iterable[tuple[int, int]], in_channels: Iterable[int] = (1, 3, 5)) -> None:
    """Any size and any number of channels goes through at its size; each parameter gets a finite gradient."""
    for channels in in_channels:
        model = make(num_classes=4, in_channels=channels)
        for height, width in sizes:
            model.zero_grad()
            y = model(images(3, channels, height, width))
            assert y.shape == (3, 4, height, width)
            y.square().mean().backward()
            for name, p in model.named_parameters():
                assert p.grad is not None and p.grad.isfinite().all(), (name, height, width)


def check_independent_of_batch(model: nn.Module, size: int) -> None:
    """In eval, an image's output does not depend on the images beside it."""
    x = images(3, 3, size, size)
    randomise(model).eval()
    with torch.no_grad():
        together, alone = model(x), torch.cat([model(x[i : i + 1]) for i in range(3)])
    assert together.std(0).max() > 0, "the images make no difference"
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5 * float(together.abs().max()))


def check_everywhere(make: Make, size: int) -> None:
    """bfloat16, the meta device, channels-last, torch.export with a free batch size, no graph breaks."""
    contract.check_everywhere(make, size)


def check_ejects(cls: type[nn.Module], args: dict, size: int = 32) -> None:
    """The file that it ejects to needs torch alone, and gives the same outputs in a fresh interpreter."""
    source = eject_model(cls, resolve(cls, args), inputs={"x": images(2, args.get("in_channels", 3), size, size)})
    assert "netwright" not in source


def upsampled(module: nn.Module, size: tuple[int, int]) -> nn.Module:
    """A reference whose scores are brought to the input's size like ours."""
    return _Then(module, partial(nn.functional.interpolate, size=size, mode="bilinear", align_corners=False))


class _Then(nn.Module):
    def __init__(self, module: nn.Module, last: Callable[[Tensor], Tensor]):
        super().__init__()
        self.module, self.last = module, last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.module(x))
