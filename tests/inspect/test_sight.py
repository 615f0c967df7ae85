"""How far a network sees, summed up: stages, the effective field, attention, and what could not be found."""

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import NotFollowedError, inspect, receptive, receptive_field, sight
from tests.references import torchvision


def look(net: nn.Module, inputs, make=None):
    return sight(net, inspect(net, inputs), inputs, make)


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


class UNet(nn.Module):
    """Down twice, up twice, with skips."""

    def __init__(self, dim: int = 4):
        super().__init__()
        self.pool, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
        self.first = nn.Conv2d(1, dim, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(dim, dim, 3, padding=1) for _ in range(2))
        self.back = nn.ModuleList(nn.Conv2d(2 * dim, dim, 3, padding=1) for _ in range(2))

    def forward(self, x):
        maps = [self.first(x)]
        for conv in self.down:
            maps.append(conv(self.pool(maps[-1])))
        x = maps.pop()
        for conv in self.back:
            x = conv(torch.cat([self.up(x), maps.pop()], 1))
        return x


def test_stages_of_resnet50():
    with torch.device("meta"):
        net = torchvision().models.resnet50()
    found = look(net, empty(1, 3, 224, 224))
    assert [stage.stride for stage in found.stages] == [2, 4, 8, 16, 32]
    assert found.last is found.stages[-1]
    assert (found.last.units, found.last.size, found.last.covers_input) == ((7, 7), (427, 427), True)
    assert found.sentence == "The last stage (stride 32, 7 × 7) sees 427 of 224 pixels: covers the input."
    assert found.effective is None
    assert any("weights are not on the CPU" in note for note in found.notes)


def test_a_unet_ends_where_it_began():
    """By hand: two convolutions of 3 at stride 1, 2 and one at 4 each add 2 strides, each pooling of 2 one."""
    found = look(UNet(), torch.randn(1, 1, 64, 64))
    assert [stage.stride for stage in found.stages] == [1, 2, 4]
    deepest = 1 + 2 + 1 + 4 + 2 + 8
    assert found.stages[-1].size == (deepest, deepest)
    assert found.last.stride == 1
    assert found.last.last == "back.1"
    assert found.last.size[0] > deepest
    assert not found.last.covers_input
    assert "does not cover the input" in found.sentence
    assert found.effective.where == ""  # the network itself gives the last map
    assert found.effective.size <= found.last.size[0]


def test_the_effective_field_is_of_the_last_map():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 5, 2, 2), nn.ReLU(), nn.Conv2d(4, 4, 3, 1, 1), nn.Flatten(), nn.Linear(1024, 2))
    found = look(net, torch.randn(1, 3, 32, 32))
    assert found.effective.where == "2"
    assert found.effective.size <= found.last.size[0] == 9
    assert found.effective.how == "gradient of the centre unit of 2, on 4 samples of noise, with the weights given"
    assert found.to_json()["last"]["size"] == [9, 9]


def test_of_a_network_on_meta_it_is_that_of_initial_weights():
    def make():
        return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())

    with torch.device("meta"):
        net = make()
    state = torch.random.get_rng_state()
    found = look(net, empty(1, 3, 16, 16), make)
    assert found.effective.size == 3
    assert "its random initial weights" in found.effective.how
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_layer_norm_at_the_end_hides_no_gradient():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.LayerNorm(8)

        def forward(self, x):
            return self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    assert look(Net(), torch.randn(1, 3, 16, 16)).effective.size == 3


def test_patches_are_not_what_a_transformer_sees():
    """A map of 16 × 16 patches is no last map: the effective field is said to be unknown."""
    with torch.device("meta"):
        net = torchvision().models.vit_b_16()
    found = look(net, empty(1, 3, 224, 224))
    assert (found.last.size, found.last.local) == ((224, 224), (16, 16))
    assert "(16 without what mixes all places)" in found.sentence
    assert found.effective is None
    assert any("no map (B, C, *space)" in note for note in found.notes)


def test_tokens():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 8)
            self.layers = nn.Sequential(*(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2)))

        def forward(self, tokens):
            return self.layers(self.embedding(tokens))

    found = look(Text(), torch.ones(1, 20, dtype=torch.long))
    assert (found.unit, found.space, found.effective) == ("tokens", (20,), None)
    assert [(row.layers, row.words) for row in found.attention] == [(2, "full")]
    assert found.last.covers_input
    vectors = look(Text().layers, torch.randn(1, 20, 8))
    assert (vectors.unit, vectors.stages, vectors.sentence) == ("tokens", [], "")
    assert [row.words for row in vectors.attention] == ["full"]


def test_waves_are_space():
    net = nn.Sequential(nn.Conv1d(2, 4, 9, 4), nn.Conv1d(4, 4, 3))
    found = look(net, torch.randn(1, 2, 200))
    assert (found.unit, found.space, found.last.size) == ("pixels", (200,), (17,))


def test_an_own_failure_is_no_bad_input(monkeypatch):
    def broken(*_):
        raise KeyError("kernel_size")

    monkeypatch.setattr(receptive, "follow", broken)
    net, x = nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8)
    with pytest.raises(NotFollowedError, match=r"aten\.convolution\.default can't be followed: KeyError"):
        receptive_field(net, x)
    found = look(net, x)
    assert (found.stages, found.sentence) == ([], "")
    assert any("netwright's fault" in note for note in found.notes)


def test_a_bad_forward_is_a_note_of_its_own():
    class Chooses(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    found = look(Chooses(), torch.randn(1, 3, 8, 8))
    assert found.stages == []
    assert not any("netwright's fault" in note for note in found.notes)


def test_no_space():
    net = nn.Linear(4, 4)
    with pytest.raises(InputError, match="no space"):
        sight(net, inspect(net, torch.zeros(4)), torch.zeros(4))
