"""The largest batch is the one that trying every batch finds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect, largest_batch
from netwright.inspect.fit import with_batch


class Pairs(nn.Module):
    """All pairs of samples: memory grows with the square of the batch."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        x = self.linear(x)
        return (x @ x.T).softmax(-1) @ x


class UpTo(nn.Module):
    """Takes batches of ten at most."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        if len(x) > 10:
            raise ValueError("more than ten")
        return self.linear(x)


class Chooses(nn.Module):
    """Goes on with the positive rows: run for real."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return self.linear(x[x[:, 0] >= 0])


NETS = {
    "mlp": lambda: nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8)),
    "wide at the start": lambda: nn.Sequential(nn.Linear(8, 500), nn.Linear(500, 500), nn.GELU(), nn.Linear(500, 2)),
    "norm": lambda: nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4)),
    "pairs": Pairs,
    "gru": lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), nn.GRU(4, 16, batch_first=True)),
}


def peak(module: nn.Module, batch: int, train: bool) -> int:
    return inspect(module, torch.zeros(batch, 8), train=train).peak_memory


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(NETS)), train=st.booleans(), share=st.floats(0, 1), given_batch=st.integers(1, 9))
def test_brute_force(name, train, share, given_batch):
    module = NETS[name]()
    least = 2 if name == "norm" and train else 1
    if name == "norm" and train:
        given_batch = max(2, given_batch)
    peaks = {batch: peak(module, batch, train) for batch in range(least, 14)}
    room = round(peaks[least] * 0.9 + share * (peaks[13] - 1 - peaks[least] * 0.9))
    best = max((batch for batch, size in peaks.items() if size <= room), default=0)
    found = largest_batch(module, torch.zeros(given_batch, 8), room, train=train)
    assert found.batch == best
    assert found.peak_bytes == peaks[best or least]
    if best:
        assert found.peak_bytes <= room < found.next_bytes == peaks[best + 1]
        assert "one more" in found.how
    else:
        assert found.free_bytes < 0


def test_large_batches():
    """Far beyond what this machine could hold; 64 GB less a reserve."""
    module = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8))
    found = largest_batch(module, torch.zeros(1, 8), 64 * 10**9, train=True, reserve_bytes=10**9)
    assert found.batch > 10**7
    assert found.peak_bytes <= 63 * 10**9 < found.next_bytes
    assert "reserve" not in found.how
    assert "nothing is kept back" in largest_batch(module, torch.zeros(1, 8), 10**6).how


def test_less_fits_with_an_optimizer_and_more_in_bf16():
    module, x = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8)), torch.zeros(1, 8)
    plain = largest_batch(module, x, 10**6).batch
    assert largest_batch(module, x, 10**6, train=True).batch < plain
    assert largest_batch(module, x, 10**6, dtype=torch.bfloat16).batch > 1.9 * plain


def test_a_refused_batch_does_not_fit():
    found = largest_batch(UpTo(), torch.zeros(3, 8), 10**9)
    assert found.batch == 10
    assert found.next_bytes is None


def test_what_runs_for_real_is_reckoned():
    found = largest_batch(Chooses(), torch.zeros(2, 8), 10**6)
    assert "estimated" in found.how
    assert found.peak_bytes <= 10**6
    assert inspect(Chooses(), torch.zeros(found.batch, 8)).peak_memory == pytest.approx(10**6, rel=0.01)


def test_guessed_inputs():
    assert largest_batch(nn.Linear(64, 64), None, 10**6).batch == (10**6 - 4 * 65 * 64) // (2 * 4 * 64)


def test_bad_input():
    for memory, reserve in ((0, 0), (-1, 0), (10, 10), (10, -1)):
        with pytest.raises(InputError, match="hold nothing"):
            largest_batch(nn.Linear(8, 8), torch.zeros(1, 8), memory, reserve_bytes=reserve)
    with pytest.raises(InputError, match="no other batch"):
        largest_batch(nn.Sequential(nn.Unflatten(0, (2, 2)), nn.Linear(8, 8)), torch.zeros(4, 8), 10**9)
    with pytest.raises(InputError, match="no batch"):
        largest_batch(nn.Flatten(0), torch.tensor(1.0), 10**9)


def test_only_the_batch_changes():
    inputs = {"x": torch.zeros(3, 5), "mask": torch.zeros(5, 5), "scale": torch.tensor(1.0)}
    shapes = {name: tuple(tensor.shape) for name, tensor in with_batch(inputs, 7).items()}
    assert shapes == {"x": (7, 5), "mask": (5, 5), "scale": ()}
    x = torch.arange(6.0).view(3, 2)
    assert torch.equal(with_batch(x, 2), x[:2])
