"""What is on meta gets numbers that a network can be run with; what has its own keeps them."""

import torch
from torch import nn

from netwright.inspect.real import made_real, real_values

CPU = torch.device("cpu")


class Net(nn.Module):
    """A norm, whose statistics must be positive, and a table read at an index that is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("index", torch.tensor([0]))
        self.table = nn.Parameter(torch.randn(1, 4, 1, 1))

    def forward(self, x):
        return self.norm(self.conv(x)) + self.table[self.index]


def test_meta_becomes_numbers_the_same_each_time():
    with torch.device("meta"):
        net, x = Net().eval(), torch.empty(2, 3, 8, 8)
    state = torch.random.get_rng_state()
    found = [made_real(net, x, CPU) for _ in range(2)]
    assert torch.equal(torch.random.get_rng_state(), state)
    outputs = [real(*args, **kwargs) for real, args, kwargs in found]
    assert torch.equal(*outputs) and outputs[0].isfinite().all() and outputs[0].std() > 0
    assert all(p.is_meta for p in net.parameters()) and x.is_meta


def test_the_same_tensor_twice_stays_one():
    x, other = torch.empty(3, device="meta"), torch.zeros(3)
    (a, b, c), _ = real_values(((x, x, other), {}), CPU)
    assert a is b and torch.equal(c, other)


def test_what_has_numbers_keeps_them():
    net, x = Net(), torch.randn(2, 3, 8, 8, requires_grad=True)
    real, (y,), kwargs = made_real(net, (x,), CPU)
    assert torch.equal(y, x) and y.is_leaf and y.requires_grad and not kwargs
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), real.parameters(), strict=True))
    real(y).sum().backward()
    assert x.grad is None and y.grad is not None and all(p.grad is None for p in net.parameters())
    assert net.norm.num_batches_tracked == 0 and real.norm.num_batches_tracked == 1


def test_only_floating_numbers_change_their_type():
    real, args, kwargs = made_real(
        Net(), {"x": torch.empty(1, 3, 8, 8, device="meta"), "n": torch.arange(3)}, CPU, torch.bfloat16
    )
    assert args == () and kwargs["x"].dtype == real.table.dtype == torch.bfloat16
    assert kwargs["n"].dtype == real.index.dtype == torch.int64 and kwargs["n"].tolist() == [0, 1, 2]
