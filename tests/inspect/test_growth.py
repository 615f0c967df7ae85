"""Growth with batch, length and resolution is what the architectures' arithmetic says."""

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect
from netwright.inspect.growth import attention_macs, growth
from tests.references import torchvision


class FixedPositions(nn.Module):
    """Takes 16 tokens and no other number."""

    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(16, 8))
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return self.linear(x + self.positions)


class UpTo(nn.Module):
    """Positions of a table: any length up to its own."""

    def __init__(self, longest: int):
        super().__init__()
        self.table = nn.Embedding(longest, 8)

    def forward(self, x):
        if x.shape[1] > self.table.num_embeddings:
            raise ValueError("longer than the table")
        return x @ x.transpose(1, 2) @ (x + self.table.weight[: x.shape[1]])


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def encoder(dim: int, depth: int = 2, **options) -> nn.Module:
    layer = nn.TransformerEncoderLayer(dim, 4, 4 * dim, batch_first=True, device="meta", **options)
    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)


def test_a_conv_net_grows_with_the_square_of_the_resolution():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.MaxPool2d(2))
    found = growth(net, empty(2, 3, 32, 32), "resolution", (1, 2, 3, 4))
    assert [row.size for row in found.rows] == [32, 64, 96, 128]
    assert found.exponents["macs"] == pytest.approx(2, abs=1e-12)
    assert found.exponents["activation_bytes"] == pytest.approx(2, abs=1e-12)
    assert found.exponents["params"] == pytest.approx(0, abs=1e-12)
    assert found.crossing is None
    assert "no attention" in found.how


def test_rows_are_the_blueprints_figures():
    net, x = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()), torch.zeros(2, 3, 16, 16)
    row = growth(net, x, "batch", (1, 3), train=True).rows[1]
    blueprint = inspect(net, torch.zeros(6, 3, 16, 16), train=True)
    assert row.size == 6
    for name in ("params", "macs", "backward_macs", "activation_bytes", "saved_bytes", "peak_memory"):
        assert getattr(row, name) == getattr(blueprint, name)
    assert row.saved_bytes > 0


@pytest.mark.parametrize("dim", [32, 64])
def test_attention_overtakes_at_six_times_the_width(dim):
    """Per token and layer 12 d² MACs in the projections and the MLP, 2 n d in attention: equal at n = 6 d."""
    found = growth(encoder(dim), empty(1, 24, dim), "length")
    assert found.crossing == pytest.approx(6 * dim, rel=1e-9)
    for row in found.rows:
        n, depth = row.size, 2
        assert row.attention_macs == depth * 2 * n * n * dim
        assert row.macs - row.attention_macs == depth * 12 * n * dim * dim
    at = growth(encoder(dim), empty(1, 6 * dim, dim), "length", (0.5, 1)).rows[1]
    assert at.attention_macs == at.macs - at.attention_macs


def test_the_batch():
    found = growth(encoder(32), empty(2, 24, 32), "batch", (1, 2, 4, 8))
    assert found.exponents["macs"] == pytest.approx(1, abs=1e-12)
    assert found.exponents["attention_macs"] == pytest.approx(1, abs=1e-12)
    assert found.exponents["params"] == pytest.approx(0, abs=1e-12)
    assert found.crossing is None


def test_saved_activations_of_training_grow_with_the_batch():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
    found = growth(net, empty(2, 3, 16, 16), "batch", train=True)
    assert found.train
    assert found.exponents["saved_bytes"] == pytest.approx(1, abs=1e-12)
    # The last activation's gradient and the weights, with their states, make the peak less than proportional.
    assert 0.5 < found.exponents["peak_memory"] < 1


def test_resolution_of_a_vision_transformer():
    """The crossing in pixels: with N = (side / 4)² + 1 tokens it is where 2 N² d L = 12 N d² L + patches + head."""
    dim, depth, patch = 32, 3, 4

    class Vit(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, dim, patch, patch)
            self.token = nn.Parameter(torch.zeros(1, 1, dim))
            self.encoder = encoder(dim, depth)
            self.head = nn.Linear(dim, 10)

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
            return self.head(self.encoder(x)[:, 0])

    with torch.device("meta"):
        net = Vit()
    side = growth(net, empty(1, 3, 32, 32), "resolution").crossing
    patches = (side / patch) ** 2
    n = patches + 1
    rest = depth * 12 * n * dim**2 + patches * 3 * patch**2 * dim + 10 * dim
    assert depth * 2 * n * n * dim == pytest.approx(rest, rel=1e-9)


def test_windows_never_overtake():
    with torch.device("meta"):
        net = torchvision().models.swin_t()
    found = growth(net, empty(1, 3, 224, 224), "resolution", (1, 2))
    assert found.exponents["attention_macs"] == pytest.approx(2, abs=1e-12)
    assert found.crossing is None
    assert "no faster" in found.how


def test_a_product_with_weights_is_no_attention():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 8, 16))

        def forward(self, x):
            return torch.bmm(x, self.weight)

    assert attention_macs(Experts(), torch.zeros(4, 5, 8)) == 0
    assert attention_macs(UpTo(8), torch.zeros(2, 5, 8)) == 2 * (2 * 5 * 5 * 8)


def test_masks_grow_with_the_length():
    class Masked(nn.Module):
        def forward(self, x, mask):
            return (x @ x.transpose(1, 2) + mask) @ x

    inputs = {"x": torch.zeros(2, 6, 6), "mask": torch.zeros(6, 6)}
    found = growth(Masked(), inputs, "length", (1, 2))
    assert [row.error for row in found.rows] == ["", ""]
    assert [row.macs for row in found.rows] == [2 * 2 * n * n * 6 for n in (6, 12)]


def test_a_refused_size_is_a_row_that_says_so():
    found = growth(UpTo(40), torch.zeros(1, 16, 8), "length", (1, 2, 4))
    assert [row.good for row in found.rows] == [True, True, False]
    assert found.rows[2].size == 64
    assert found.rows[2].macs is None
    assert "longer than the table" in found.rows[2].error
    assert found.exponents["macs"] == pytest.approx(2, abs=1e-12)


def test_fixed_positions_are_an_error():
    with pytest.raises(InputError, match="took 1 of 3") as caught:
        growth(FixedPositions(), torch.zeros(1, 16, 8), "length")
    assert "size of tensor a" in str(caught.value)
    assert caught.value.where == "FixedPositions"


def test_no_such_axis():
    with pytest.raises(InputError, match="one of batch, length, resolution, depth, width"):
        growth(nn.Linear(4, 4), torch.zeros(2, 4), "height")
    with pytest.raises(InputError, match="has no resolution"):
        growth(nn.Linear(4, 4), torch.zeros(2, 4), "resolution")


def test_the_module_is_left_as_it_was():
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.BatchNorm1d(8)).train()
    before = {name: (id(value), value.clone()) for name, value in net.state_dict(keep_vars=True).items()}
    growth(net, torch.zeros(4, 8), "batch", train=True)
    after = net.state_dict(keep_vars=True)
    assert all(id(after[name]) == key and torch.equal(after[name], value) for name, (key, value) in before.items())
    assert net.training
