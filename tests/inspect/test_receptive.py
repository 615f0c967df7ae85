"""Receptive fields: the closed form, published ones, and the support of the gradient of networks of ones."""

from functools import partial
from math import prod

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect
from netwright.inspect.receptive import (
    effective_receptive_field,
    effective_size,
    receptive_field,
    resolution_ladder,
)
from tests.references import torchvision


def meta(make):
    with torch.device("meta"):
        return make()


def image(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def fields_of(module: nn.Module, *shape: int):
    return {field.id: field for field in receptive_field(module, image(*shape))}


def last_map(fields):
    return [field for field in fields.values() if min(field.units) > 1][-1]


# The closed form


@st.composite
def layers(draw):
    """(kernel, stride, dilation, pooling) of up to six layers."""
    one = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.booleans())
    return draw(st.lists(one, min_size=1, max_size=6))


@pytest.mark.parametrize("axes", [1, 2, 3])
@settings(max_examples=25, deadline=None)
@given(stack=layers())
def test_a_stack_is_the_closed_form(axes, stack):
    """r = 1 + Σ (k − 1) d Π strides before; the start is the paddings', as far from the first pixel."""
    conv, pool = getattr(nn, f"Conv{axes}d"), getattr(nn, f"MaxPool{axes}d")
    modules, size, jump, start = [], 1, 1, 0
    for kernel, stride, dilation, pooling in stack:
        padding = kernel // 2
        modules.append(
            pool(kernel, stride, padding, dilation)
            if pooling
            else conv(1, 1, kernel, stride, padding, dilation, device="meta")
        )
        size += (kernel - 1) * dilation * jump
        start -= padding * jump
        jump *= stride
        # Fakes cost nothing: an input as large as keeps every map larger than its kernel.
        found = receptive_field(nn.Sequential(*modules), image(1, 1, *[10_000] * axes))[-1]
    assert found.size == found.local == (size,) * axes
    assert found.stride == (jump,) * axes
    assert found.start == (start,) * axes
    assert not found.covers_input


def test_ids_are_the_blueprints():
    net = meta(torchvision().models.resnet18)
    leaves = {row.id for row in inspect(net, image(1, 3, 64, 64)).rows if row.leaf}
    found = [field.id for field in receptive_field(net, image(1, 3, 64, 64))]
    assert len(found) == len(set(found))
    assert set(found) == leaves


# Published networks


@pytest.mark.parametrize(("name", "size"), [("vgg16", 212), ("vgg11", 150), ("alexnet", 195)])
def test_published(name, size):
    """Araujo et al. 2019's table for VGG-16 and AlexNet; VGG-11: 3 × 3 convolutions 1, 1, 2, 2, 2 a stage and pools."""
    fields = fields_of(meta(getattr(torchvision().models, name)), 1, 3, 224, 224)
    found = [field for key, field in fields.items() if key.startswith("features")][-1]
    assert found.size == (size, size)
    assert found.stride == (32.0, 32.0)


@pytest.mark.parametrize(
    ("name", "depths", "kernels"), [("resnet50", (3, 4, 6, 3), (3,)), ("resnet18", (2, 2, 2, 2), (3, 3))]
)
def test_resnets(name, depths, kernels):
    """Torchvision strides in the first 3 × 3 of a stage ("v1.5"): 427 for ResNet-50, where the v1 of slim has 483."""
    size, jump = 7, 2  # the stem
    size, jump = size + 2 * jump, 2 * jump
    for stage, depth in enumerate(depths):
        for block in range(depth):
            for number, kernel in enumerate(kernels):
                size += (kernel - 1) * jump
                if stage and not block and not number:
                    jump *= 2
    fields = fields_of(meta(getattr(torchvision().models, name)), 1, 3, 224, 224)
    found = last_map(fields)
    assert found.size == (size, size)
    assert size == {"resnet50": 427, "resnet18": 435}[name]
    assert found.covers_input
    assert fields["fc"].size == (size, size)
    assert not fields["layer1.0.conv1"].covers_input


def test_ladder_of_resnet50():
    rungs = resolution_ladder(receptive_field(meta(torchvision().models.resnet50), image(1, 3, 224, 224)))
    assert [(rung.stride, rung.units) for rung in rungs] == [
        (2, (112, 112)), (4, (56, 56)), (8, (28, 28)), (16, (14, 14)), (32, (7, 7)),
    ]  # fmt: skip
    assert [rung.first for rung in rungs] == [
        "conv1", "maxpool", "layer2.0.conv2", "layer3.0.conv2", "layer4.0.conv2",
    ]  # fmt: skip
    assert rungs[-1].last == "layer4.2.relu:3"


def test_attention_sees_all():
    fields = fields_of(meta(torchvision().models.vit_b_16), 1, 3, 224, 224)
    assert fields["conv_proj"].size == (16, 16)
    assert not fields["conv_proj"].covers_input
    after = fields["encoder.layers.encoder_layer_0.self_attention"]
    assert (after.size, after.local, after.stride, after.units) == ((224, 224), (16, 16), (16.0, 16.0), (14, 14))
    assert after.covers_input


def test_windows_see_windows():
    """Swin-T: a first block of 7 × 7 patches of 4 pixels, a shifted one beside it, then half as many."""
    fields = fields_of(meta(torchvision().models.swin_t), 1, 3, 448, 448)
    assert fields["features.1.0.add:2"].size == (28, 28)
    # A shifted window of 7 from the 4th patch on lies over two of the first block.
    assert fields["features.1.1.add:2"].size == (56, 56)
    assert fields["features.1.1.add:2"].units == (112, 112)
    assert fields["features.2.reduction"].stride == (8.0, 8.0)
    assert fields["head"].covers_input


def test_squeeze_excite_sees_all_and_says_what_it_would_without():
    net = meta(torchvision().models.mobilenet_v3_small)
    fields = fields_of(net, 1, 3, 224, 224)
    assert fields["features.1.block.0.0"].size == (7, 7)
    scaled = fields["features.1.block.1.mul"]
    assert (scaled.size, scaled.local, scaled.covers_input) == ((224, 224), (7, 7), True)


# By the gradient


class Sum(nn.Module):
    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return sum(branch(x) for branch in self.branches)


class Concat(Sum):
    def forward(self, x):
        made = torch.cat([branch(x) for branch in self.branches], 1)
        return made.mean(1, keepdim=True) + made.amax(1, keepdim=True)


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def of_ones(net: nn.Module) -> nn.Module:
    for parameter in net.parameters():
        nn.init.ones_(parameter) if parameter.dim() > 1 else nn.init.zeros_(parameter)
    return net.double()


def supports(net: nn.Module, side: int):
    """First and last pixel that the units in the middle of the result depend on, at most 32 of them."""
    x = torch.ones(1, 1, side, side, dtype=torch.double, requires_grad=True)
    out = net(x)
    columns = out.shape[3]
    for column in range(max(0, columns // 2 - 16), min(columns, columns // 2 + 16)):
        (gradient,) = torch.autograd.grad(out[0, 0, out.shape[2] // 2, column], x, retain_graph=True)
        pixels = gradient[0, 0].abs().sum(0).nonzero().flatten().tolist()
        if pixels:  # a unit in the padding sees none
            yield pixels[0], pixels[-1]


def inner_support(net: nn.Module, side: int) -> int:
    """The widest support of the units that the borders cut off nothing from."""
    return max(last - first + 1 for first, last in supports(net, side) if first > 0 and last < side - 1)


KINDS = ["conv", "pool", "sum", "cat", "up", "transposed"]


@st.composite
def networks(draw):
    """Maps of one channel through convolutions, average pools, resizings, and two branches at one size."""

    def same():
        dilation = draw(st.integers(1, 3))
        half = draw(st.integers(0, 2))
        return nn.Conv2d(1, 1, 2 * half + 1, padding=half * dilation, dilation=dilation)

    parts = []
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4)):
        if kind == "conv":
            parts.append(nn.Conv2d(1, 1, draw(st.integers(1, 4)), draw(st.integers(1, 2)), draw(st.integers(0, 1))))
        elif kind == "pool":
            parts.append(nn.AvgPool2d(draw(st.integers(2, 3)), draw(st.integers(1, 2))))
        elif kind == "sum":
            parts.append(Sum(same(), nn.Sequential(same(), same()), nn.Identity()))
        elif kind == "cat":
            parts.append(Concat(same(), nn.Sequential(same(), nn.AvgPool2d(3, 1, 1))))
        elif kind == "up":
            parts.append(nn.Upsample(scale_factor=2, mode=draw(st.sampled_from(["nearest", "bilinear", "bicubic"]))))
        else:
            stride = draw(st.integers(1, 2))
            parts.append(nn.ConvTranspose2d(1, 1, draw(st.integers(stride, 4)), stride, draw(st.integers(0, 1))))
    return nn.Sequential(*parts)


@settings(max_examples=40, deadline=None)
@given(net=networks())
def test_field_is_the_gradients_support(net):
    side = 96
    field = receptive_field(net, torch.zeros(1, 1, side, side))[-1]
    assume(2 * max(field.size) < side)  # so that the units in the middle see no border
    assert field.size == (inner_support(of_ones(net), side),) * 2


def test_upsampling_twice_and_once_more_keeps_the_widest_unit():
    """Periods of whole maps (383 → 766) were too long to spell out, and the first unit stood for all."""
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2), nn.AvgPool2d(2, 1))
    net.append(nn.Upsample(scale_factor=2))
    assert receptive_field(net, torch.zeros(1, 1, 96, 96))[-1].size == (2, 2) == (inner_support(of_ones(net), 96),) * 2


def space_to_depth(x):
    return torch.cat([x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 1).sum(1, keepdim=True)


def through_tokens(x):
    tokens = x.flatten(2).transpose(1, 2) * 2
    return tokens.transpose(1, 2).reshape(x.shape)


def reaching_left(x):
    """One branch looks to the right of the other: the hull is wider than both."""
    return x[:, :, 2:, 2:] + F.avg_pool2d(x, 2, 1)[:, :, :-1, :-1]


@pytest.mark.parametrize(
    "function",
    [
        space_to_depth,
        through_tokens,
        reaching_left,
        partial(F.avg_pool2d, kernel_size=3, stride=2, padding=1),
        partial(F.lp_pool2d, norm_type=2, kernel_size=3, stride=2),
        partial(F.adaptive_avg_pool2d, output_size=16),
        partial(F.adaptive_avg_pool2d, output_size=15),
        partial(F.interpolate, size=(27, 27), mode="bilinear"),
        partial(F.interpolate, size=(64, 64), mode="nearest"),
        partial(F.interpolate, size=(16, 16), mode="bilinear", antialias=True),
        lambda x: F.pixel_shuffle(x.expand(-1, 4, -1, -1) * 1.0, 2),
        lambda x: F.pad(x, (2, 1, 2, 1), mode="reflect"),
    ],
)
def test_functions_between_convolutions(function):
    side = 48
    net = of_ones(nn.Sequential(nn.Conv2d(1, 1, 3, 1, 1), Apply(function), nn.Conv2d(1, 1, 3, 1, 1)))
    field = receptive_field(net, torch.zeros(1, 1, side, side, dtype=torch.double))[-1]
    assert field.size == (inner_support(net, side),) * 2


def test_start_is_the_first_units_first_pixel():
    net = of_ones(nn.Sequential(nn.Conv2d(1, 1, 3, 2), nn.Conv2d(1, 1, 2, 1), nn.AvgPool2d(3, 2)))
    field = receptive_field(net, torch.zeros(1, 1, 40, 40, dtype=torch.double))[-1]
    spans = list(supports(net, 40))
    assert field.start == (spans[0][0],) * 2 == (0, 0)
    assert field.units == (len(spans),) * 2
    assert spans[3][0] - spans[2][0] == field.stride[1]
    assert receptive_field(nn.Conv2d(1, 1, 5, 2, 2), torch.zeros(1, 1, 40, 40))[0].start == (-2, -2)


@pytest.mark.parametrize(
    "tail",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(256, 3)),
        nn.AdaptiveAvgPool2d(1),
        Apply(lambda x: x.mean((2, 3))),
        Apply(lambda x: x * x.mean((2, 3), keepdim=True).sigmoid()),
        Apply(lambda x: x.flatten(2) @ x.flatten(2).transpose(1, 2)),
        Apply(lambda x: x.flatten(2).softmax(-1)),
        nn.Sequential(Apply(lambda x: x.flatten(2)), nn.Linear(256, 256)),
        Apply(lambda x: torch.fft.fft2(x).real),
        Apply(lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)),  # places chosen by values
    ],
)
def test_what_mixes_all_sees_all(tail):
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), tail, nn.Identity())
    field = receptive_field(net, torch.zeros(1, 1, 16, 16))[-1]
    assert field.id == "2"
    assert field.size == (16, 16)
    assert field.covers_input


def test_channel_attention_over_maps_sees_no_further():
    """A linear layer over channels at the end is a 1 × 1 convolution (ConvNeXt)."""
    net = nn.Sequential(
        nn.Conv2d(1, 4, 7, padding=3), Apply(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(4), nn.Linear(4, 8)
    )
    field = receptive_field(net, torch.zeros(1, 1, 16, 16))[-1]
    assert (field.size, field.units, field.covers_input) == ((7, 7), (16, 16), False)


def test_tokens_are_an_axis():
    net = nn.Sequential(nn.Embedding(10, 4), Apply(lambda x: x.transpose(1, 2)), nn.Conv1d(4, 4, 3, dilation=4))
    field = receptive_field(net, torch.zeros(1, 32, dtype=torch.long))[-1]
    assert (field.size, field.units) == ((9,), (24,))


def test_no_space_is_an_error():
    with pytest.raises(InputError, match="space"):
        receptive_field(nn.Linear(4, 4), torch.zeros(4))
    with pytest.raises(InputError, match="no forward on fakes"):
        receptive_field(nn.Conv2d(3, 4, 3), torch.zeros(1, 1, 8, 8))


# Effective fields


def test_effective_field_is_the_kernels_product():
    """Of n convolutions of ones the gradient is the n-fold convolution of ones: binomial, and its size grows as √n."""
    net = of_ones(nn.Conv2d(1, 1, 3, padding=1))
    gradient = effective_receptive_field(net, torch.zeros(1, 1, 9, 9, dtype=torch.double))
    expected = torch.zeros(9, 9, dtype=torch.double)
    expected[3:6, 3:6] = 1
    assert torch.equal(gradient, expected)
    line = torch.ones(1, dtype=torch.double)
    for _ in range(8):
        line = F.conv1d(line[None, None], torch.ones(1, 1, 3, dtype=torch.double), padding=2).flatten()
    net = of_ones(nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(8))))
    x = torch.zeros(1, 1, 41, 41, dtype=torch.double)
    gradient = effective_receptive_field(net, x)
    torch.testing.assert_close(gradient[12:29, 12:29], torch.outer(line, line))
    assert gradient.sum() == 9.0**8
    whole = int((gradient.sum(0) > 0).sum())
    share = [float((line[8 - k : 9 + k].sum() / line.sum()) ** 2) for k in range(9)]
    side = 2 * next(k for k in range(9) if share[k] >= 0.95) + 1
    assert effective_size(gradient) == side < whole == receptive_field(net, x)[-1].size[0]


def test_effective_size_by_hand():
    assert effective_size(torch.eye(5)[2].outer(torch.eye(5)[2])) == 1
    flat = torch.zeros(20, 20)
    flat[4:14, 6:16] = 1
    assert effective_size(flat) == 10
    assert effective_size(-flat, share=0.8) == 9
    with pytest.raises(InputError, match="zero everywhere"):
        effective_size(torch.zeros(4, 4))


def test_the_layer_looked_at():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Flatten(),
        nn.LazyLinear(2),
    )
    x = torch.randn(2, 3, 16, 16)
    net(x)
    assert int((effective_receptive_field(net, x) > 0).sum()) == 25
    assert int((effective_receptive_field(net, x, "0") > 0).sum()) == 9
    assert torch.equal(effective_receptive_field(net, x), effective_receptive_field(net, x, "2"))
    with pytest.raises(InputError, match="no such module"):
        effective_receptive_field(net, x, "7")


def test_the_module_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()).train()
    before = {name: (id(value), value.clone()) for name, value in net.state_dict(keep_vars=True).items()}
    x = torch.randn(2, 3, 8, 8)
    receptive_field(net, x)
    effective_receptive_field(net, x)
    after = net.state_dict(keep_vars=True)
    assert all(id(after[name]) == key and torch.equal(after[name], value) for name, (key, value) in before.items())
    assert all(part.training for part in net.modules())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not x.requires_grad
    assert prod(len(part._forward_hooks) + 1 for part in net.modules()) == 1
