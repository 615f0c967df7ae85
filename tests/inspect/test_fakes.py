"""On fakes nothing is computed, and the module comes back as it was."""

import pytest
import torch
from torch import nn
from torch._subclasses import FakeTensor

from netwright.inspect import inspect
from netwright.inspect.capture import BY_A_RUN, ON_FAKES, PARTIAL
from netwright.inspect.fakes import NoFakeError, faked, mapped


def test_parameters_come_back():
    module = nn.Sequential(nn.LSTM(4, 8), nn.BatchNorm1d(8))
    before = {name: (id(value), value.clone()) for name, value in module.state_dict(keep_vars=True).items()}
    with faked(module) as (_, fake):
        assert all(isinstance(value, FakeTensor) for value in module.state_dict().values())
        assert all(isinstance(weight, FakeTensor) for weight in module[0]._flat_weights)
        assert fake({"x": [torch.zeros(2, 3)]})["x"][0].shape == (2, 3)
    after = module.state_dict(keep_vars=True)
    assert all(id(after[name]) == key and torch.equal(after[name], value) for name, (key, value) in before.items())
    assert module[0]._flat_weights[0] is module[0].weight_ih_l0


def test_ties_stay_ties():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    module[1].weight = module[0].weight
    with faked(module):
        assert module[0].weight is module[1].weight


def test_a_step_of_training_leaves_no_trace():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    assert inspect(module, torch.zeros(2, 4), train=True).how == ON_FAKES
    assert not module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())


class Chooses(nn.Module):
    """Goes on with the rows that are positive: how many is known only from the values."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        x = self.first(x)
        return self.second(x[x[:, 0] > 0])


def test_what_depends_on_values_is_run(monkeypatch):
    module = Chooses()
    nn.init.eye_(module.first.weight)
    nn.init.zeros_(module.first.bias)
    before = module.first.weight.clone()
    x = torch.tensor([[1.0, 0, 0, 0], [-1, 0, 0, 0], [2, 0, 0, 0]])
    blueprint = inspect(module, x, train=True)
    assert blueprint.how == BY_A_RUN
    assert "not on fakes" in blueprint.notes[0]
    assert blueprint.macs == 3 * 16 + 2 * 8
    assert torch.equal(module.first.weight, before)
    assert module.first.weight.grad is None


def test_what_is_too_large_to_run_gives_a_part(monkeypatch):
    class Leaves(Chooses):
        def forward(self, x):
            return self.second(torch.from_numpy(self.first(x).numpy()))

    monkeypatch.setattr("netwright.inspect.capture.MOST_REAL_BYTES", 0)
    blueprint = inspect(Leaves(), torch.zeros(3, 4))
    assert blueprint.how == PARTIAL
    assert blueprint.macs == 3 * 16
    assert "stopped" in blueprint.notes[0]
    assert blueprint.params == 5 * 4 + 5 * 2


@pytest.mark.filterwarnings("ignore:Sparse")
def test_what_can_not_be_faked_is_run():
    class Sparse(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("graph", torch.eye(5).to_sparse())

        def forward(self, x):
            return torch.sparse.mm(self.graph, x)

    with pytest.raises(NoFakeError, match="graph"), faked(Sparse()):
        pass
    blueprint = inspect(Sparse(), torch.zeros(5, 3))
    assert blueprint.how == BY_A_RUN
    assert blueprint.macs == 5 * 3


def test_another_type():
    module = nn.Linear(4, 4)
    halved, full = (inspect(module, torch.zeros(2, 4), dtype=dtype) for dtype in (torch.bfloat16, None))
    assert halved.weights_bytes * 2 == full.weights_bytes == 4 * 20
    assert module.weight.dtype is torch.float32


def test_mapped_keeps_the_structure():
    packed = nn.utils.rnn.pack_padded_sequence(torch.zeros(3, 2, 4), [3, 2])
    value = {"a": [torch.zeros(1), None], "b": (packed, "text")}
    doubled = mapped(value, lambda tensor: torch.cat([tensor, tensor]))
    assert doubled["a"][0].shape == (2,)
    assert doubled["a"][1] is None
    assert type(doubled["b"][0]) is type(packed)
    assert doubled["b"][0].data.shape == (10, 4)
