"""Growth of a network by its name: a family is made anew with other arguments."""

import pytest
import torch
from torch import nn

import netwright as nw
from netwright.errors import InputError
from netwright.workbench import inspect, targets
from netwright.workbench.growth import asked, growth_of

DESIGN = """netwright: 1
inputs: {in_channels: 1, image_size: 16, num_classes: 3}
model:
  cct: {dim: 32, depth: 2, mixer: {attention: {num_heads: 4}}, num_convs: 1}
"""


def params(name: str, **arguments) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in nw.build(name, **arguments).parameters())


def rows(name, words, inputs=None):
    return inspect(name, inputs, growth=words).growth.rows


@pytest.mark.parametrize(
    ("name", "axis", "arguments"),
    [
        ("vit:tiny", "depth", {12: {"depth": 12}, 24: {"depth": 24}, 48: {"depth": 48}}),
        ("vit:tiny", "width", {192: {"dim": 192}, 384: {"dim": 384}, 768: {"dim": 768}}),
        ("resnet18", "depth", {8: {}, 16: {"depths": [4] * 4}, 32: {"depths": [8] * 4}}),
        ("resnet18", "width", {64: {}, 128: {"dim": 128}, 256: {"dim": 256}}),
        ("convnext:atto", "depth=6,12", {6: {"depths": [1, 1, 3, 1]}, 12: {"depths": [2, 2, 6, 2]}}),
        ("mobilenetv3:small", "width=0.5,1", {0.5: {"width_mult": 0.5}, 1: {}}),
        ("text_transformer:tiny", "depth", {2: {"depth": 2}, 4: {"depth": 4}, 8: {"depth": 8}}),
    ],
)
def test_a_family_is_made_with_other_arguments(name, axis, arguments):
    inputs = None if name.startswith("text") else "3,64,64"
    found = {row.size: row.params for row in rows(name, axis, inputs)}
    assert found == {size: params(name, **given) for size, given in arguments.items()}


def test_heads_keep_their_size(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN)
    made = []
    target = targets.find(path)
    make = target.make
    target.make = lambda **given: made.append(make(**given)) or made[-1]
    found = growth_of(target, target.inputs, "width")
    assert [row.size for row in found.rows] == [32, 64, 128]
    assert [net.blocks[0].mixer.num_heads for net in made] == [4, 8, 16]
    halved = growth_of(target, target.inputs, "width=12,16,32")  # 12 would need a head and a half
    assert [row.size for row in halved.rows] == [16, 32]


def test_a_family_without_a_depth_is_asked_for_blocks():
    found = rows("mobilenetv3:small", "depth=11,13", "3,64,64")
    assert found[1].params > found[0].params


def test_sizes_that_are_refused_are_tried_smaller():
    """Positions of a table of 512: no more tokens than these."""
    found = inspect("text_transformer:tiny", growth="length").growth
    assert [row.size for row in found.rows] == [128, 256, 512]
    assert found.crossing == pytest.approx(6 * 128, rel=1e-6)


def test_sizes_as_they_are_given():
    assert [row.size for row in rows("vit:tiny", "resolution=64,96")] == [64, 96]
    assert [row.size for row in rows("resnet18", "batch=2,8", "3,32,32")] == [2, 8]


def test_options_go_with_it():
    blueprint = inspect("resnet18", "3,64,64", train=True, dtype="bf16", optimizer="sgd", growth="batch")
    first = blueprint.growth.rows[0]
    assert first.peak_memory == blueprint.peak_memory
    assert first.backward_macs == blueprint.backward_macs > 0


def test_a_module_of_ones_own():
    net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)))
    blueprint = nw.inspect(net, torch.zeros(2, 4), growth="depth", field=True)
    assert [row.params for row in blueprint.growth.rows] == [60, 120, 240]
    assert blueprint.sight.stages == []


def test_nothing_is_asked_for_unless_it_is():
    blueprint = inspect("resnet18")
    assert blueprint.growth is blueprint.sight is None


@pytest.mark.parametrize("words", ["height", "", "batch=", "batch=4", "batch=a,b", "batch=0,1", "length=-1,2"])
def test_bad_words(words):
    with pytest.raises(InputError, match="--growth"):
        asked(words)
    with pytest.raises(InputError, match="--growth"):
        inspect("resnet18", growth=words)


def test_what_has_no_such_axis():
    with pytest.raises(InputError, match="its width is set where it is made"):
        inspect("torchvision:resnet18", growth="width")
    with pytest.raises(InputError, match="has no resolution"):
        inspect("text_transformer:tiny", growth="resolution=1,2")
