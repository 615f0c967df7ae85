"""What every network for tables promises, whatever it is made of."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

Make = Callable[..., nn.Module]
CARDINALITIES = [3, 20, 2]


def rows(batch: int, num_features: int, cardinalities: list[int], seed: int = 0) -> tuple[Tensor, Tensor | None]:
    generator = torch.Generator().manual_seed(seed)
    x_num = torch.randn(batch, num_features, generator=generator)
    codes = [torch.randint(0, n, (batch,), generator=generator) for n in cardinalities]
    return x_num, torch.stack(codes, 1) if codes else None


def check_columns(make: Make) -> None:
    """Numbers, categories or both go forward and backward; each parameter gets a finite gradient."""
    for num_features, cardinalities in [(4, []), (1, []), (0, CARDINALITIES), (0, [30]), (4, CARDINALITIES)]:
        for num_classes in (1, 5):
            model = make(num_features=num_features, cardinalities=cardinalities, num_classes=num_classes)
            y = model(*rows(16, num_features, cardinalities))
            assert y.shape[0] == 16 and y.shape[-1] == num_classes
            y.square().sum().backward()
            for name, p in model.named_parameters():
                assert p.grad is not None and p.grad.isfinite().all(), name
            assert model.eval()(*rows(3, num_features, cardinalities)).shape == (3, num_classes)
    with pytest.raises(ValueError, match="at least one column"):
        make(num_features=0)


def check_every_column_counts(model: nn.Module) -> None:
    """In eval, every column changes the output, and a row's output does not depend on the rows beside it."""
    x_num, x_cat = rows(8, 4, CARDINALITIES)
    model.eval()
    with torch.no_grad():
        y = model(x_num, x_cat)
        assert y.std(0).min() > 0
        for j in range(4):
            other = x_num.clone()
            other[:, j] += 1
            assert (model(other, x_cat) != y).any(1).all(), j
        for j, n in enumerate(CARDINALITIES):
            other = x_cat.clone()
            other[:, j] = (other[:, j] + 1) % n
            assert (model(x_num, other) != y).any(1).all(), j
        alone = torch.cat([model(x_num[i : i + 1], x_cat[i : i + 1]) for i in range(8)])
    torch.testing.assert_close(alone, y, rtol=1e-4, atol=1e-5)


def check_everywhere(make: Make) -> None:
    """bfloat16, the meta device, torch.export with a free batch size, no graph breaks."""
    torch.manual_seed(0)
    model, x = (
        make(num_features=4, cardinalities=CARDINALITIES, num_classes=3).eval(),
        rows(8, 4, CARDINALITIES),
    )
    with torch.no_grad():
        expected = model(*x)
        scale = float(expected.abs().max())
        half = make(num_features=4, cardinalities=CARDINALITIES, num_classes=3).eval().to(torch.bfloat16)
        half.load_state_dict(model.state_dict())
        y = half(x[0].to(torch.bfloat16), x[1])
        assert y.dtype == torch.bfloat16 and float((y.float() - expected).abs().max()) < 0.1 * scale

        whole = torch.compile(model, backend="eager", fullgraph=True)
        torch.testing.assert_close(whole(*x), expected)

        batch = torch.export.Dim("batch", min=1, max=64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, x, dynamic_shapes=({0: batch}, {0: batch})).module()
        more = rows(5, 4, CARDINALITIES, seed=1)
        torch.testing.assert_close(program(*more), model(*more), rtol=1e-4, atol=1e-5 * scale)

    with torch.device("meta"):
        meta = make(num_features=4, cardinalities=CARDINALITIES, num_classes=3)
        assert meta(torch.empty(2, 4), torch.empty(2, 3, dtype=torch.int64)).is_meta
    assert all(p.is_meta for p in meta.parameters())


def check_state(make: Make) -> None:
    """What is saved is all there is: a network made empty and given the saved state answers the same."""
    model = make(num_features=4, cardinalities=CARDINALITIES).eval()
    with torch.device("meta"):
        empty = make(num_features=4, cardinalities=CARDINALITIES).eval()
    empty = empty.to_empty(device="cpu")
    for tensor in (*empty.parameters(), *empty.buffers()):
        tensor.detach().fill_(77)
    empty.load_state_dict(model.state_dict())
    x = rows(8, 4, CARDINALITIES)
    with torch.no_grad():
        assert torch.equal(empty(*x), model(*x))


def check_shrinks(make: Make, dims: range) -> None:
    counts = [sum(p.numel() for p in make(num_features=4, dim=d).parameters()) for d in dims]
    assert counts == sorted(set(counts))
    counts = [sum(p.numel() for p in make(num_features=4, depth=n).parameters()) for n in (1, 2, 3)]
    assert counts == sorted(set(counts))
