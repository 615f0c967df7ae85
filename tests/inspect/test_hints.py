"""Where sizes depend on values and no run is possible: an upper bound that says so, never below the real count."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from netwright.inspect import capture, inspect
from netwright.inspect.capture import BOUND, BY_A_RUN, ON_FAKES, PARTIAL


class Experts(nn.Module):
    """A mixture of experts as written before grouped products: a loop, and each expert finds its tokens."""

    def __init__(self, dim: int = 8, hidden: int = 16, experts: int = 4, top: int = 2, only_hit: bool = False):
        super().__init__()
        self.gate = nn.Linear(dim, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, dim)) for _ in range(experts)
        )
        self.top, self.only_hit = top, only_hit

    def forward(self, x):
        batch, length, dim = x.shape
        x = x.view(-1, dim)
        weights, chosen = self.gate(x).softmax(-1).topk(self.top)
        masks = F.one_hot(chosen, len(self.experts)).permute(2, 1, 0)
        out = torch.zeros_like(x)
        hit = masks.sum(dim=(-1, -2)).gt(0).nonzero().unbind() if self.only_hit else range(len(self.experts))
        for number in hit:
            rank, token = torch.where(masks[number].reshape(self.top, -1))
            out.index_add_(0, token, self.experts[number](x[token]) * weights[token, rank, None])
        return out.view(batch, length, dim)


class Function(nn.Module):
    """A projection of what the function makes of the first one."""

    def __init__(self, function, dim: int = 4):
        super().__init__()
        self.first, self.second = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.function = function

    def forward(self, x, *more):
        return self.second(self.function(self.first(x), *more))


DEPENDING = {
    "a mask": lambda x: x[x[:, 0] > 0],
    "a mask of numbers": lambda x: x[x > 0].sum() * x,
    "nonzero": lambda x: x[x[:, 0].nonzero().squeeze(1)],
    "where": lambda x: x[torch.where(x[:, 0] > 0)[0]],
    "masked_select": lambda x: x.masked_select(x > 0).mean() * x,
    "unique": lambda x: x[torch.unique(x[:, 0].argsort() // 2)],
    "unique rows": lambda x: torch.unique(x, dim=0),
    "unique runs": lambda x: torch.unique_consecutive(x, dim=0),
    "a count": lambda x: x[: int((x[:, 0] > 0).sum())],
    "an item": lambda x: x[: x[:, 0].argmax().item()],
    "a condition": lambda x: x.repeat(3, 1) if bool((x > 0).any()) else x,
    "repeats": lambda x: x.repeat_interleave((x[:, 0] > 0).long(), dim=0),
    "bins": lambda x: x[torch.bincount(x[:, 0].gt(0).long(), minlength=2)[1:] - 1],
}


def without_a_run(monkeypatch, module, inputs, **options):
    with monkeypatch.context() as patched:
        patched.setattr(capture, "MOST_REAL_BYTES", -1)
        return inspect(module, inputs, **options)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("only_hit", [False, True])
def test_each_expert_may_see_every_choice(monkeypatch, only_hit, train):
    torch.manual_seed(0)
    module, x = Experts(only_hit=only_hit), torch.randn(2, 5, 8)
    run = inspect(module, x, train=train)
    bound = without_a_run(monkeypatch, module, x, train=train)
    assert (run.how, bound.how) == (BY_A_RUN, BOUND)
    assert run.macs == 10 * (8 * 4 + 2 * 2 * 8 * 16)
    assert bound.macs == 10 * (8 * 4 + 4 * 2 * 2 * 8 * 16)
    assert bound.backward_macs >= run.backward_macs
    assert {row.path for row in run.rows} <= {row.path for row in bound.rows}
    assert any("nonzero at its most in Experts" in note for note in bound.notes)


@pytest.mark.parametrize("name", DEPENDING)
def test_the_bound_holds(monkeypatch, name):
    torch.manual_seed(0)
    module, x = Function(DEPENDING[name]), torch.randn(6, 4)
    run = inspect(module, x)
    bound = without_a_run(monkeypatch, module, x)
    assert (run.how, bound.how) == (BY_A_RUN, BOUND), bound.notes
    assert bound.macs >= run.macs > 6 * 16
    assert len(bound.notes) >= 2


def test_values_of_the_inputs_are_no_hints(monkeypatch):
    """Lengths, grids: as on fakes, and exact."""
    module = Function(lambda x, lengths: torch.cat([x[:length] for length in lengths.tolist()]))
    blueprint = without_a_run(monkeypatch, module, (torch.zeros(6, 4), torch.tensor([2, 5])))
    assert blueprint.how == ON_FAKES
    assert blueprint.macs == (6 + 7) * 16
    unknown = without_a_run(monkeypatch, module, (torch.zeros(6, 4), torch.empty(2, dtype=torch.long, device="meta")))
    assert unknown.how == BOUND
    assert unknown.macs == (6 + 12) * 16
    assert "whole numbers that nobody knows as 6" in unknown.notes[-1]


def test_values_made_on_the_way_are_no_hints(monkeypatch):
    """Windows of patches: their order is a mask of an arange; how many, a buffer."""

    class Windows(Function):
        def __init__(self):
            super().__init__(None)
            self.register_buffer("size", torch.tensor(3))

        def forward(self, x):
            padded = nn.functional.pad(torch.arange(len(x)), (0, -len(x) % int(self.size)), value=-1)
            order = padded.view(-1, int(self.size)).T.reshape(-1)
            return self.second(self.first(x)[order[order != -1]])

    blueprint = without_a_run(monkeypatch, Windows(), torch.zeros(7, 4))
    assert (blueprint.how, blueprint.notes) == (ON_FAKES, [])
    assert blueprint.macs == 2 * 7 * 16


def test_what_is_changed_in_place_is_known_no_more(monkeypatch):
    def filled(x):
        counts = torch.zeros(3, dtype=torch.long)
        counts[:2] += x[:2, 0].long()
        return x[: int(counts[0])]

    blueprint = without_a_run(monkeypatch, Function(filled), torch.zeros(6, 4))
    assert blueprint.how == BOUND
    assert blueprint.macs == 2 * 6 * 16


def test_more_weights_than_are_run():
    with torch.device("meta"):
        module = nn.Sequential(Experts(1024, 32 * 1024, experts=24), nn.Linear(1024, 4))
    assert sum(p.numel() * 4 for p in module.parameters()) > 4 << 30
    blueprint = inspect(module, torch.empty(1, 16, 1024, device="meta"))
    assert blueprint.how == BOUND
    assert blueprint.macs == 16 * (1024 * 24 + 24 * 2 * 2 * 1024 * 32 * 1024 + 1024 * 4)


def test_a_check_of_values_is_passed(monkeypatch):
    """Where a condition taken as true ends in an exception, it is taken as false."""

    def checked(x):
        if torch.isnan(x).any():
            raise ValueError("not a number")
        return x

    blueprint = without_a_run(monkeypatch, Function(checked), torch.zeros(2, 4))
    assert blueprint.how == BOUND
    assert "conditions on values taken as false" in blueprint.notes[-1]


def test_a_loop_until_a_value_changes_gives_a_part(monkeypatch):
    def halved(x):
        while (x.abs() > 1).any():
            x = x / 2
        return x.numpy()

    blueprint = without_a_run(monkeypatch, Function(halved), torch.zeros(2, 4))
    assert blueprint.how == PARTIAL
    assert blueprint.macs == 2 * 16


def test_a_run_that_fails_leaves_the_bound(monkeypatch):
    """An operator without a kernel here: boxes are all kept."""

    def kept(x):
        if x.abs().max() > 0 and not torch.compiler.is_compiling() and type(x) is torch.Tensor:
            raise NotImplementedError("no kernel")
        return x

    blueprint = inspect(Function(kept), torch.ones(2, 4))
    assert blueprint.how == BOUND
    assert "not by a run" in blueprint.notes[1]
