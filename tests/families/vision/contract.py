"""What every vision backbone promises, whatever it is made of."""

import warnings
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from netwright.blocks.headless import headless

Make = Callable[..., nn.Module]


def images(batch: int, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, channels, height, width, generator=torch.Generator().manual_seed(seed))


def check_sizes(make: Make, sizes: Iterable[tuple[int, int]], in_channels: Iterable[int] = (1, 3, 5)) -> None:
    """Any size and any number of channels goes through; each parameter gets a finite gradient."""
    for channels in in_channels:
        model = make(num_classes=7, in_channels=channels)
        for height, width in sizes:
            model.zero_grad()
            y = model(images(3, channels, height, width))
            assert y.shape == (3, 7)
            y.square().sum().backward()
            for name, p in model.named_parameters():
                assert p.grad is not None and p.grad.isfinite().all(), (name, height, width)


def check_features(model: nn.Module, size: int) -> None:
    """One map for each stage, with the channels and strides that the backbone says."""
    maps = model.eval().features(images(2, 3, size, size))
    assert len(maps) == len(model.channels) == len(model.strides)
    for x, channels, stride in zip(maps, model.channels, model.strides, strict=True):
        assert x.shape == (2, channels, size // stride, size // stride)


def check_headless(make: Make, size: int) -> None:
    """Without its classifier a backbone gives the same maps, and all that is left serves them."""
    torch.manual_seed(0)
    whole = make(num_classes=1).eval()
    bare = headless(lambda num_classes, in_channels: make(num_classes=num_classes, in_channels=in_channels), 3).eval()
    missing, unexpected = bare.load_state_dict(whole.state_dict(), strict=False)
    assert not missing and all(key.split(".")[0] in whole.classifier for key in unexpected)
    x = images(2, 3, size, size)
    maps = bare.features(x)
    for ours, same in zip(maps, whole.features(x), strict=True):
        assert torch.equal(ours, same)
    sum(m.square().mean() for m in maps).backward()
    for name, p in bare.named_parameters():
        assert p.grad is not None, f"{name} serves no feature map: is it named in `classifier`?"


def check_independent_of_batch(model: nn.Module, size: int) -> None:
    """In eval, an image's output does not depend on the images beside it."""
    x = images(4, 3, size, size)
    model.eval()
    with torch.no_grad():
        together, alone = model(x), torch.cat([model(x[i : i + 1]) for i in range(4)])
    assert together.std(0).min() > 0, "the images make no difference"
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def check_everywhere(make: Make, size: int, half_error: float = 0.1) -> None:
    """bfloat16, the meta device, channels-last, torch.export with a free batch size, no graph breaks.

    In bfloat16 the output may differ by `half_error`, relative to its largest value.
    """
    torch.manual_seed(0)
    model, x = make().eval(), images(2, 3, size, size)
    with torch.no_grad():
        expected = model(x)
        scale = float(expected.abs().max())
        assert scale > 0

        last = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
        assert float((last - expected).abs().max()) < 1e-4 * scale
        half = make().eval().to(torch.bfloat16)
        half.load_state_dict(model.state_dict())
        y = half(x.to(torch.bfloat16))
        assert y.dtype == torch.bfloat16 and float((y.float() - expected).abs().max()) < half_error * scale

        whole = torch.compile(model, backend="eager", fullgraph=True)
        torch.testing.assert_close(whole(x), model(x))

        batch = torch.export.Dim("batch", min=1, max=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, (x,), dynamic_shapes=({0: batch},)).module()
        more = images(5, 3, size, size, seed=1)
        torch.testing.assert_close(program(more), model(more), rtol=1e-4, atol=1e-5 * scale)

    with torch.device("meta"):
        meta = make()
        assert meta(torch.empty(2, 3, size, size)).is_meta
    assert all(p.is_meta for p in meta.parameters())


def check_drop_path(make: Make, size: int) -> None:
    """Branches are dropped in training only, and more of them the deeper they lie."""
    torch.manual_seed(0)
    model, x = make(drop_path=0.5, dropout=0.0), images(8, 3, size, size)
    rates = [m.p for m in model.modules() if type(m).__name__ == "DropPath"]
    assert rates == sorted(rates) and rates[0] == 0 and rates[-1] == 0.5
    plain = make(drop_path=0.0, dropout=0.0)
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(model.eval()(x), plain.eval()(x))
        assert not torch.equal(model.train()(x), plain.train()(x))
