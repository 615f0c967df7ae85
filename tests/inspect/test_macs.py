"""Multiply-accumulates are exact: closed forms by hand, on the CPU and on the meta device."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.inspect import count_macs, inspect
from tests.references import timm, torchvision

DEVICES = ["cpu", "meta"]


def macs(module: nn.Module, *shapes: tuple[int, ...], device: str) -> int:
    inputs = tuple(torch.zeros(shape, device=device) for shape in shapes)
    module = module.to(device)
    counted = count_macs(module, inputs)
    blueprint = inspect(module, inputs)
    assert blueprint.macs == counted
    assert blueprint.not_counted == []
    return counted


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (nn.Linear(7, 5), (3, 7), 3 * 7 * 5),
        (nn.Linear(7, 5, bias=False), (2, 3, 7), 2 * 3 * 7 * 5),
        (nn.Linear(7, 5), (7,), 7 * 5),
        (nn.Conv1d(4, 6, 5, stride=2), (2, 4, 21), 2 * 9 * 6 * 4 * 5),
        (nn.Conv2d(3, 8, 3, padding=1), (2, 3, 9, 11), 2 * 9 * 11 * 8 * 3 * 9),
        (nn.Conv2d(8, 12, 3, groups=4), (1, 8, 6, 6), 4 * 4 * 12 * (8 // 4) * 9),
        (nn.Conv2d(8, 8, (7, 3), groups=8, dilation=2), (1, 8, 20, 20), 8 * 16 * 8 * 21),
        (nn.Conv3d(2, 4, 3), (1, 2, 5, 6, 7), 3 * 4 * 5 * 4 * 2 * 27),
        (nn.ConvTranspose2d(6, 4, 2, stride=2), (1, 6, 5, 5), 25 * 6 * 4 * 4),
        (nn.ConvTranspose2d(6, 4, 3, groups=2), (1, 6, 5, 5), 25 * 6 * 2 * 9),
    ],
    ids=str,
)
def test_layers(module, shape, expected, device):
    assert macs(module, shape, device=device) == expected


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cls", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_networks(cls, gates, bidirectional, device):
    """At each step, for each direction: gates · H · (inputs + H); the second layer reads both directions."""
    batch, steps, inputs, hidden = 2, 5, 7, 6
    directions = 2 if bidirectional else 1
    module = cls(inputs, hidden, num_layers=2, bidirectional=bidirectional, batch_first=True)
    first, second = inputs + hidden, directions * hidden + hidden
    expected = batch * steps * directions * gates * hidden * (first + second)
    assert macs(module, (batch, steps, inputs), device=device) == expected


class Attention(nn.Module):
    """Scaled dot-product attention of given heads, without projections."""

    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, **self.options)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("options", [{}, {"is_causal": True}], ids=["full", "causal"])
def test_attention(options, device):
    """B·H·L·S·(E + Ev); a causal mask does not make it less."""
    q, k, v = (2, 3, 9, 8), (2, 3, 11, 8), (2, 3, 11, 8)
    assert macs(Attention(**options), q, k, v, device=device) == 2 * 3 * 9 * 11 * (8 + 8)


@pytest.mark.parametrize("device", DEVICES)
def test_attention_with_fewer_key_heads(device):
    q, k = (2, 6, 9, 8), (2, 2, 9, 8)
    assert macs(Attention(enable_gqa=True), q, k, k, device=device) == 2 * 6 * 9 * 9 * (8 + 8)


@pytest.mark.parametrize("device", DEVICES)
def test_torch_transformer_layer_on_its_fast_path(device):
    """PyTorch's fused encoder layer hides its products in eval; the capture takes the open path."""
    batch, tokens, dim, hidden = 2, 10, 16, 32
    module = nn.TransformerEncoderLayer(dim, 4, hidden, batch_first=True).eval()
    expected = batch * tokens * (4 * dim * dim + 2 * tokens * dim + 2 * dim * hidden)
    assert macs(module, (batch, tokens, dim), device=device) == expected
    assert torch.backends.mha.get_fastpath_enabled()


class Products(nn.Module):
    def forward(self, a, b):
        return torch.einsum("bij,bjk->bik", a, b), a[0] @ b[0, :, 0], torch.baddbmm(a[:, :, :1], a, b)


@pytest.mark.parametrize("device", DEVICES)
def test_functional_products(device):
    once = 2 * 3 * 4 * 5
    assert macs(Products(), (2, 3, 4), (2, 4, 5), device=device) == once + 3 * 4 + once


class InInferenceMode(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)

    @torch.inference_mode()
    def forward(self, x):
        return torch.matmul(self.lstm(x)[0], torch.zeros(4, 2, device=x.device))


@pytest.mark.parametrize("device", DEVICES)
def test_composite_operators_are_taken_apart(device):
    """In inference mode the dispatcher shows a whole `lstm` or `matmul`."""
    assert macs(InInferenceMode(), (2, 5, 3), device=device) == 2 * 5 * (4 * 4 * (3 + 4) + 4 * 2)


def test_what_has_no_formula_is_listed():
    class Spectrum(nn.Module):
        def forward(self, x):
            return torch.linalg.qr(x)[0] + torch.linalg.qr(x)[0]

    found = inspect(nn.Sequential(nn.Linear(8, 8), Spectrum()), torch.zeros(2, 8)).not_counted
    assert [(entry["op"], entry["calls"], entry["where"]) for entry in found] == [("aten.linalg_qr.default", 2, "1")]


def test_resnet50():
    """torchvision's own table: 25,557,032 parameters, 4.089 GMACs."""
    blueprint = inspect(torchvision().models.resnet50(), torch.zeros(1, 3, 224, 224))
    assert (blueprint.params, blueprint.macs) == (25_557_032, 4_089_184_256)
    assert blueprint.buffers == 53_120 + 53  # running means and variances, and one counter for each norm


@pytest.mark.parametrize("device", DEVICES)
def test_vit_base(device):
    """The patches, twelve blocks of 12·N·D² + 2·N²·D, and the head."""
    tokens, dim = 197, 768
    expected = 196 * 768 * dim + 12 * (12 * tokens * dim * dim + 2 * tokens * tokens * dim) + dim * 1000
    with torch.device(device):
        module = timm().create_model("vit_base_patch16_224")
    blueprint = inspect(module, torch.zeros(1, 3, 224, 224, device=device))
    assert (blueprint.params, blueprint.macs) == (86_567_656, expected)
    assert blueprint.flops == 2 * expected
