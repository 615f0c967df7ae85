"""A dilated network sees on a larger map what it saw on the small one."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.dilate import dilate
from netwright.blocks.residual2d import BasicBlock
from netwright.families.vision.convnext import ConvNeXt
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.unet_encoder import UNetEncoder
from netwright.families.vision.vit import ViT
from tests.families.vision.contract import images
from tests.parity import randomise


class Averaging(nn.Module):
    """A backbone with average poolings, with padding and without."""

    def __init__(self):
        super().__init__()
        self.channels, self.strides = [4, 4, 4, 4], [1, 2, 4, 8]
        self.stem = ConvNormAct(3, 4, 3)
        self.stages = nn.ModuleList(
            nn.Sequential(pool, ConvNormAct(4, 4, 3))
            for pool in (
                nn.AvgPool2d(2),
                nn.AvgPool2d(3, 2, 1, count_include_pad=False),
                nn.Sequential(nn.AvgPool2d(2), nn.AvgPool2d(3, 1, 1, count_include_pad=False)),
            )
        )

    def features(self, x):
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps


RESNET = partial(ResNet, dim=4, depths=(1, 2, 1, 2))
CASES = {
    "bottleneck": (RESNET, (75, 50)),
    "basic": (partial(RESNET, block=BasicBlock), (75, 50)),
    "mobilenet": (partial(MobileNetV3, layout="small", width_mult=0.25, gate=nn.Identity), (75, 50)),
    "convnext": (partial(ConvNeXt, dim=4, depths=(1, 1, 2, 1)), (64, 96)),  # odd borders would be dropped
    "max-pooling": (partial(UNetEncoder, dim=2), (37, 50)),
    "average-pooling": (Averaging, (32, 48)),
}


@pytest.mark.parametrize("output_stride", [4, 8, 16])
@pytest.mark.parametrize("case", CASES)
def test_every_rth_pixel_is_as_before(case, output_stride):
    make, size = CASES[case]
    before = randomise(make()).eval()
    after = dilate(copy.deepcopy(before), 3, output_stride)
    assert after.strides == [min(s, output_stride) for s in before.strides]
    assert list(after.state_dict()) == list(before.state_dict())
    x = images(2, 3, *size)
    with torch.no_grad():
        for old, new, a, b in zip(before.features(x), after.features(x), before.strides, after.strides, strict=True):
            rate = a // b
            assert new.std() > 0 and new.shape[-1] > rate * (old.shape[-1] - 1)
            seen = new[:, :, ::rate, ::rate][:, :, : old.shape[2], : old.shape[3]]
            torch.testing.assert_close(seen, old, rtol=1e-4, atol=1e-5 * float(old.abs().max()))


def test_parameters_are_the_same_objects_and_learn():
    network = ConvNeXt(dim=4, depths=(1, 1, 1))
    parameters = dict(network.named_parameters())
    dilate(network, 3, 4)
    assert all(p is parameters[name] for name, p in network.named_parameters())
    network(images(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_nothing_happens_where_nothing_is_beyond():
    network = RESNET()
    assert str(dilate(copy.deepcopy(network), 3, 32)) == str(network)


def test_statistics_and_random_numbers_stay():
    network = RESNET()
    state = torch.get_rng_state()
    dilate(network, 3, 8)
    assert torch.equal(torch.get_rng_state(), state) and network.training
    assert all(m.num_batches_tracked == 0 for m in network.modules() if isinstance(m, nn.BatchNorm2d))


def test_works_on_meta():
    with torch.device("meta"):
        assert dilate(RESNET(), 3, 8).features(torch.empty(1, 3, 64, 64))[-1].shape[-2:] == (8, 8)


def test_what_cannot_be_dilated_is_said():
    with pytest.raises(ValueError, match="output_stride=6 is the stride of none"):
        dilate(RESNET(), 3, 6)
    with pytest.raises(ValueError, match="output_stride=8 is the stride of none of the maps; they have 16"):
        dilate(ViT(dim=12, depth=1), 3, 8)
    counting = Averaging()
    counting.stages[2][0][1].count_include_pad = True
    with pytest.raises(ValueError, match="count_include_pad"):
        dilate(counting, 3, 4)
    slicing = Averaging()
    slicing.stages[2][0] = nn.PixelUnshuffle(2)
    slicing.stages[2][1] = ConvNormAct(16, 4, 3)
    with pytest.raises(ValueError, match="poolings alone: give it output_stride=8"):
        dilate(slicing, 3, 4)
