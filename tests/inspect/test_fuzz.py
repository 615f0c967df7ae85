"""Random modules never crash the capture, and the counts are those of a brute-force reference by hooks."""

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.inspect import count_params, inspect

WIDTH = 4  # of every value, so that all parts fit together


class Sum(nn.Module):
    """Two branches, added."""

    def __init__(self, left: nn.Module, right: nn.Module):
        super().__init__()
        self.left, self.right = left, right

    def forward(self, x):
        return self.left(x) + self.right(x)


class Twice(nn.Module):
    """One part called two times."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.part = part

    def forward(self, x):
        return self.part(self.part(x))


class Gated(nn.Module):
    """A half of a wider product gates the other."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.wide, self.part = nn.Conv2d(WIDTH, 2 * WIDTH, 1), part

    def forward(self, x):
        value, gate = self.wide(x).chunk(2, dim=1)
        return self.part(value).mul(gate.sigmoid())


LEAVES = st.sampled_from(
    [
        lambda: nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
        lambda: nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=2, bias=False),
        lambda: nn.ConvTranspose2d(WIDTH, WIDTH, 3, padding=1),
        lambda: nn.Linear(6, 6),
        lambda: nn.BatchNorm2d(WIDTH),
        lambda: nn.GroupNorm(2, WIDTH),
        nn.ReLU,
        lambda: nn.Sequential(nn.BatchNorm2d(WIDTH), nn.ReLU(inplace=True)),
        nn.GELU,
        lambda: nn.Dropout(0.5),
        nn.Identity,
    ]
)


def parts(inner):
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda makers: lambda: nn.Sequential(*(make() for make in makers))),
        st.tuples(inner, inner).map(lambda pair: lambda: Sum(pair[0](), pair[1]())),
        inner.map(lambda make: lambda: Twice(make())),
        inner.map(lambda make: lambda: Gated(make())),
    )


def by_hooks(module: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    """MACs and the number of calls, of a real forward."""
    macs = calls = 0

    def add(part, args, out):
        nonlocal macs, calls
        calls += 1
        if isinstance(part, nn.ConvTranspose2d):
            macs += args[0].numel() * part.weight[0].numel()
        elif isinstance(part, nn.Conv2d | nn.Linear):
            macs += out.numel() * part.weight[0].numel()

    handles = [part.register_forward_hook(add) for part in module.modules()]
    with torch.no_grad():
        module(x.clone())
    for handle in handles:
        handle.remove()
    return macs, calls


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(make=st.recursive(LEAVES, parts, max_leaves=8), train=st.booleans(), tie=st.booleans())
def test_random_modules(make, train, tie):
    module = nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 1), make(), nn.Conv2d(WIDTH, WIDTH, 1))
    if tie:
        module[2].weight = module[0].weight
    x = torch.randn(2, WIDTH, 6, 6)
    blueprint = inspect(module, x, train=train)
    macs, calls = by_hooks(module.train(train), x)
    assert blueprint.macs == macs
    assert sum(row.kind == "module" for row in blueprint.rows) == calls
    assert blueprint.params == count_params(module)
    assert not blueprint.not_counted
    ids = {row.id for row in blueprint.rows} | {"input:0", "output"}
    assert {end for edge in blueprint.edges for end in (edge.source, edge.target)} <= ids
    assert any(edge.target == "output" for edge in blueprint.edges)
    for name in ("params", "macs", "backward_macs", "activation_bytes", "saved_bytes"):
        for row in blueprint.rows:
            children = [getattr(child, name) for child in blueprint.children(row)]
            assert getattr(row, name) >= sum(children)
    if train:  # every product's weight gets its gradient, and all but the first its input's too
        assert macs <= blueprint.backward_macs <= 2 * macs
        assert sum(blueprint.memory.by.values()) == blueprint.peak_memory
