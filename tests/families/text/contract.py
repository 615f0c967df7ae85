"""What every network for texts promises, whatever it is made of."""

import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Make = Callable[..., nn.Module]
VOCAB = 20


def texts(lengths: list[int], width: int, seed: int = 0) -> Tensor:
    """One text of each length, with padding on the right up to the width."""
    tokens = torch.randint(1, VOCAB, (len(lengths), width), generator=torch.Generator().manual_seed(seed))
    return tokens * (torch.arange(width) < torch.tensor(lengths)[:, None])


def check_padding(model: nn.Module) -> None:
    """A text's output is the same with any padding, alone or in a batch."""
    lengths = [1, 2, 3, 7, 12]
    model.eval()
    with torch.no_grad():
        y = model(texts(lengths, 12))
        assert y.std(0).min() > 0
        for i, length in enumerate(lengths):
            text = texts(lengths, 12)[i : i + 1, :length]
            for more in (0, 1, 9):
                torch.testing.assert_close(model(F.pad(text, (0, more)))[0], y[i], rtol=1e-4, atol=1e-5)


def check_every_token_counts(model: nn.Module) -> None:
    model.eval()
    text = texts([9], 9)
    with torch.no_grad():
        y = model(text)
        for i in range(9):
            other = text.clone()
            other[0, i] = text[0, i] % (VOCAB - 1) + 1
            assert (model(other) - y).abs().max() > 0, i


def check_training(make: Make) -> None:
    """Each parameter gets a finite gradient; padding learns nothing, and an empty text breaks nothing."""
    for lengths, width in [([4, 9, 1], 11), ([1, 1], 1)]:
        model = make(num_classes=5)
        y = model(texts(lengths, width))
        assert y.shape == (len(lengths), 5)
        y.square().sum().backward()
        for name, p in model.named_parameters():
            assert p.grad is not None and p.grad.isfinite().all(), name
        assert model.embedding.weight.grad[0].abs().max() == 0 < model.embedding.weight.grad.abs().max()
    assert model.embedding.weight[0].abs().max() == 0
    assert model(texts([0, 3], 5)).isfinite().all()


def check_everywhere(make: Make) -> None:
    """bfloat16, meta, torch.compile without a break, torch.export with free batch size and length."""
    check_half_and_meta(make)
    model, x = make().eval(), texts([8, 3, 5], 8)
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(x), model(x))
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=2, max=16)
    check_export(model, {0: batch, 1: length})


def check_half_and_meta(make: Make) -> None:
    torch.manual_seed(0)
    model, x = make().eval(), texts([8, 3, 5], 8)
    half = make().eval().to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    with torch.no_grad():
        expected, y = model(x), half(x)
    assert y.dtype == torch.bfloat16
    assert (y.float() - expected).abs().max() < 0.1 * expected.abs().max()

    with torch.device("meta"):
        meta = make()
        assert meta(torch.empty(2, 7, dtype=torch.int64)).is_meta
    assert all(p.is_meta for p in meta.parameters())


def check_export(model: nn.Module, dims: dict[int, torch.export.Dim]) -> None:
    """The exported program answers as the model does, for other batches, and lengths where they are free."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(model, (texts([8, 3, 5], 8),), dynamic_shapes=(dims,)).module()
        for lengths, width in [([2], 2), ([1, 14, 7, 3], 14)]:
            tokens = texts(lengths, width if 1 in dims else 8)
            torch.testing.assert_close(program(tokens), model(tokens), rtol=1e-4, atol=1e-6)
