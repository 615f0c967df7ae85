"""What both of torch's exporters write has the MACs and the parameters of the module that it was written from."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

import netwright as nw
from netwright.inspect import inspect, inspect_onnx


class Recurrent(nn.Module):
    """Two layers in both directions, and one in one."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(12, 20, 2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(40, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.gru(self.lstm(x)[0])[0][:, -1])


class Block(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        batch, length, dim = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return x + self.mlp(self.norm2(x))


class Decoder(nn.Module):
    """A small GPT: learned positions, causal blocks, its head tied to the embedding."""

    def __init__(self, dim=32):
        super().__init__()
        self.tokens = nn.Embedding(50, dim)
        self.positions = nn.Parameter(torch.zeros(1, 24, dim))
        self.blocks = nn.Sequential(*(Block(dim, 4) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, 50, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions[:, : ids.shape[1]])))


class UNet(nn.Module):
    """Down by strides, grouped in the middle, up by transposed convolutions, skips joined."""

    def __init__(self):
        super().__init__()
        self.enter, self.down = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=4)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2, groups=2)
        self.leave = nn.Conv2d(16, 4, 1)

    def forward(self, x):
        skip = F.relu(self.enter(x))
        x = F.relu(self.middle(F.relu(self.down(skip))))
        return self.leave(torch.cat([F.relu(self.up(x)), skip], 1))


class Products(nn.Module):
    """Matrix products in every form."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Parameter(torch.zeros(6, 10)), nn.Parameter(torch.zeros(3, 10, 7))
        self.last = nn.Parameter(torch.zeros(7, 2))

    def forward(self, x):
        y = torch.einsum("bld,dh->blh", x, self.left)
        return torch.einsum("blh,ghk->bglk", y, self.right) @ self.last


def image(side: int) -> torch.Tensor:
    return torch.zeros(2, 3, side, side)


NETWORKS = {
    "resnet18": (lambda: nw.build("resnet18"), image(64)),
    "resnet50": (lambda: nw.build("resnet50"), image(33)),
    "vit": (
        lambda: nw.build("vit", image_size=32, patch_size=8, dim=48, depth=2),
        image(32)[:1],
    ),  # its token folds with a batch
    "convnext": (lambda: nw.build("convnext", dim=8, depths=[1, 1, 2, 1]), image(64)),
    "recurrent": (Recurrent, torch.zeros(3, 7, 12)),
    "decoder": (Decoder, torch.zeros(2, 16, dtype=torch.long)),
    "unet": (UNet, image(32)),
    "products": (Products, torch.zeros(2, 5, 6)),
}
LARGE = ("resnet50", "convnext")


def random(module: nn.Module) -> nn.Module:
    """No two tensors alike: exporters merge equal constants."""
    torch.manual_seed(0)
    for tensor in [*module.parameters(), *module.buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5, 1.5)  # variances too
    return module.eval()


def export(module: nn.Module, inputs: torch.Tensor, path, dynamo: bool, **options):
    folding = {} if dynamo else {"do_constant_folding": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (inputs,), str(path), dynamo=dynamo, verbose=False, **folding, **options)
    return path


def folded(module: nn.Module) -> nn.Module:
    """Norms folded into the convolutions before them, as the newer exporter does."""
    module = copy.deepcopy(module)
    norms = [(path, part) for path, part in module.named_modules() if isinstance(part, nn.BatchNorm2d)]
    convs = [(path, part) for path, part in module.named_modules() if isinstance(part, nn.Conv2d)]
    for (path, conv), (other, norm) in zip(convs, norms, strict=True):
        assert conv.out_channels == norm.num_features
        module.set_submodule(path, fuse_conv_bn_eval(conv, norm))
        module.set_submodule(other, nn.Identity())
    return module


@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in LARGE else ()) for n in NETWORKS])
def test_macs_and_parameters_are_the_modules(name, dynamo, tmp_path):
    make, inputs = NETWORKS[name]
    module = random(make())
    found = inspect_onnx(export(module, inputs, tmp_path / "net.onnx", dynamo))
    expected = inspect(module, inputs)
    assert found.macs == expected.macs
    assert found.not_counted == []
    assert found.inputs == [list(inputs.shape)]
    assert found.outputs == expected.outputs
    if dynamo and name.startswith("resnet"):
        expected = inspect(folded(module), inputs)
    # Folding cuts the table of positions, 24, to the 16 in use, and stores the tied head a second time, turned.
    more = 50 * 32 - (24 - 16) * 32 if dynamo and name == "decoder" else 0
    assert found.params == expected.params + more
    assert found.rows[0].params == sum(row.own_params for row in found.rows)
    assert sum(row.macs for row in found.rows if row.leaf) == found.macs


@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
def test_the_module_tree_is_the_modules(dynamo, tmp_path):
    module, inputs = random(nw.build("resnet18")), image(64)
    found = inspect_onnx(export(module, inputs, tmp_path / "net.onnx", dynamo))
    rows = {row.path: row for row in found.rows}
    expected = {row.path: row for row in inspect(module, inputs).rows}
    costly = {path for path, row in expected.items() if row.macs and row.kind == "module"}
    assert costly <= rows.keys()
    for path in costly:
        assert (rows[path].macs, rows[path].outputs) == (expected[path].macs, expected[path].outputs), path
    ids = [row.id for row in found.rows]
    assert len(set(ids)) == len(ids)
    ends = {end for edge in found.edges for end in (edge.source, edge.target)}
    assert ends - set(ids) == {"input:0", "output"}
    for number, row in enumerate(found.rows):
        assert row.parent is None if number == 0 else found.rows[row.parent].depth == row.depth - 1


def test_repeats_fold(tmp_path):
    found = inspect_onnx(export(random(Decoder()), NETWORKS["decoder"][1], tmp_path / "net.onnx", True))
    assert [(row.name, row.repeat) for row in found.folded(2) if row.cls == "Block"] == [("0..1", 2)]


def test_open_sizes(tmp_path):
    module = random(Decoder())
    axes = {"dynamic_axes": {"ids": {0: "batch", 1: "sequence"}}, "input_names": ["ids"]}
    path = export(module, torch.zeros(2, 8, dtype=torch.long), tmp_path / "net.onnx", False, **axes)
    for shape in ((1, 24), (3, 5)):
        expected = inspect(module, torch.zeros(shape, dtype=torch.long))
        for found in (inspect_onnx(path, [shape]), inspect_onnx(path, {"ids": shape})):
            assert (found.macs, found.outputs, found.not_counted) == (expected.macs, expected.outputs, [])
    assert inspect_onnx(path, [(-1, 24)], batch=4).inputs == [[4, 24]]


def test_weights_beside_the_file_need_not_be_there(tmp_path):
    path = export(random(nw.build("resnet18")), image(64), tmp_path / "net.onnx", True, external_data=True)
    before = inspect_onnx(path)
    (tmp_path / "net.onnx.data").unlink()
    after = inspect_onnx(path)
    assert (after.macs, after.params, after.weights_bytes) == (before.macs, before.params, before.weights_bytes)
    assert after.weights_bytes == pytest.approx(4 * after.params, rel=1e-3)


def test_memory_is_that_of_the_live_values(tmp_path):
    """A chain of equal maps: two are alive at once, besides the weights and the input."""
    module = random(
        nn.Sequential(*(layer for _ in range(3) for layer in (nn.Conv2d(8, 8, 1, bias=False), nn.Sigmoid())))
    )
    found = inspect_onnx(export(module, torch.zeros(1, 8, 16, 16), tmp_path / "net.onnx", False))
    one = 4 * 8 * 16 * 16
    assert found.memory.by == {"weights": 3 * 4 * 64, "inputs": one, "activations": 2 * one}
    assert found.activation_bytes == 6 * one
