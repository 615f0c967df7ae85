"""What holds of convolutional networks by construction: their maps move with the image, and see what they can."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.residual2d import BasicBlock
from netwright.families.vision.alexnet import AlexNet
from netwright.families.vision.densenet import DenseNet
from netwright.families.vision.lenet import LeNet
from netwright.families.vision.lenet1998 import LeNet1998
from netwright.families.vision.preresnet import PreActResNet
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vgg import VGG
from netwright.inspect.receptive import receptive_field
from tests.families.vision import contract
from tests.parity import randomise

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lenet": partial(LeNet, in_channels=3),
    "lenet1998": partial(LeNet1998, in_channels=3),
    "alexnet": partial(AlexNet, widths=(8, 8, 8, 8, 8), hidden=()),
    "vgg": partial(VGG, dim=4, depths=(1, 1, 1, 1, 1), hidden=(), norm=nn.BatchNorm2d),
    "resnet": partial(ResNet, dim=4, depths=(1, 1, 1, 1)),
    "preresnet": partial(PreActResNet, dim=4, depths=(1, 1, 1, 1)),
    "densenet": partial(DenseNet, dim=4, growth_rate=4, depths=(1, 1, 1, 1)),
}


class Maps(nn.Module):
    """A backbone whose forward gives its maps."""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.backbone = backbone

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.backbone.features(x)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_move_with_the_image(name):
    """Of an image moved by the last map's stride, all that no border is seen by is the same, moved by whole units."""
    maps = Maps(randomise(NETWORKS[name]())).double().eval()
    strides = maps.backbone.strides
    step, size = strides[-1], 12 * strides[-1]
    whole = contract.images(1, 3, size + step, size + 2 * step).double()
    first, second = whole[..., :size, :size], whole[..., step:, 2 * step :]
    fields = receptive_field(maps, first)
    with torch.no_grad():
        outputs = zip(maps(first), maps(second), strides, strict=True)
        for a, b, stride in outputs:
            fitting = [field for field in fields if field.units == tuple(a.shape[2:])]
            start, sees = min(f.start[0] for f in fitting), max(f.size[0] for f in fitting)
            low, high = -(start // stride), (size - sees - start) // stride + 1  # these units see no border
            down, right = step // stride, 2 * step // stride
            same = a[..., low + down : high, low + right : high]
            moved = b[..., low : high - down, low : high - right]
            assert same.numel() and same.std() > 0
            torch.testing.assert_close(moved, same, rtol=1e-9, atol=1e-9)
            assert not torch.allclose(b[..., :-down, :-right], a[..., down:, right:]), "and at the border it is not"


def closed_form(layers: list[tuple[int, int]]) -> int:
    """r = 1 + Σ (kernel − 1) Π strides before."""
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size


VGG16 = [[(3, 1)] * 2, *[[(2, 2)] + [(3, 1)] * depth for depth in (2, 3, 3, 3)], [(2, 2)]]
RESNET18 = [[(7, 2)], [(3, 2)] + [(3, 1)] * 4] + [[(3, 2)] + [(3, 1)] * 3] * 3
ALEXNET = [[(11, 4)], [(3, 2), (5, 1)], [(3, 2)] + [(3, 1)] * 3, [(3, 2)]]


@pytest.mark.parametrize(
    "make, stages, last",
    [
        (VGG, VGG16, 212),
        (partial(ResNet, depths=(2, 2, 2, 2), block=BasicBlock), RESNET18, 435),
        (AlexNet, ALEXNET, 195),
    ],
    ids=["vgg16", "resnet18", "alexnet"],
)
def test_receptive_fields_are_the_closed_form(make, stages, last):
    """And the last ones those of Araujo et al. 2019, doi:10.23915/distill.00021."""
    with torch.device("meta"):
        net = make()
        fields = receptive_field(net, torch.empty(1, 3, 512, 512))
    wanted, jump, layers = {}, 1, []
    for stage in stages:
        layers += stage
        for _, stride in stage:
            jump *= stride
        wanted[jump] = closed_form(layers)
    found = {}
    for field in fields:
        if min(field.units) > 1 and int(field.stride[0]) in wanted and "resize" not in field.id:
            found[int(field.stride[0])] = max(found.get(int(field.stride[0]), 0), field.size[0])
    assert found == wanted and found[max(found)] == last
