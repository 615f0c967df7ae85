"""Deeper and wider networks have the parameters and MACs of their arithmetic."""

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import growth, inspect, resizing
from tests.references import torchvision, transformers

IDS = torch.zeros(1, 16, dtype=torch.long, device="meta")


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def chain(dim: int, depth: int) -> nn.Module:
    blocks = nn.Sequential(*(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()) for _ in range(depth)))
    return nn.Sequential(nn.Linear(4, dim), blocks, nn.Linear(dim, 3))


class Loop(nn.Module):
    """Blocks of a list, called one by one."""

    def __init__(self, depth: int, called: int | None = None):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(depth))
        self.called = called

    def forward(self, x):
        for block in self.blocks[: self.called]:
            x = x + block(x)
        return x


class Experts(Loop):
    """The same list side by side: more of them is no depth."""

    def forward(self, x):
        return sum(block(x) for block in self.blocks)


# By repeating blocks


def test_depth_of_a_chain():
    dim, depth = 8, 3
    found = growth(chain(dim, depth), torch.zeros(2, 4), "depth", (1 / 3, 1, 2, 4))
    assert [row.size for row in found.rows] == [1, 3, 6, 12]
    assert [row.params for row in found.rows] == [5 * dim + 3 * dim + 3 + n * (dim + 1) * dim for n in (1, 3, 6, 12)]
    assert [row.macs for row in found.rows] == [2 * (4 * dim + n * dim * dim + 3 * dim) for n in (1, 3, 6, 12)]
    assert found.crossing is None
    assert found.unit == "blocks"


def test_blocks_of_equal_layers_are_repeated_once():
    net = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)) for _ in range(2)))
    found = growth(net, torch.zeros(1, 8), "depth")
    assert [(row.size, row.macs) for row in found.rows] == [(2, 4 * 64), (4, 8 * 64), (8, 16 * 64)]


def test_depth_of_a_list():
    found = growth(Loop(2), torch.zeros(1, 8), "depth", (0.5, 1, 3))
    assert [(row.size, row.macs) for row in found.rows] == [(1, 64), (2, 128), (6, 384)]


def test_copies_have_weights_of_their_own_and_shared_ones_stay_shared():
    net = Loop(3)
    shared = nn.Parameter(torch.zeros(8))
    for block in net.blocks:
        block.bias = shared
    made = resizing(net, torch.zeros(1, 8), "depth")(2).module
    assert len({id(block.weight) for block in made.blocks}) == 6
    assert len({id(block.bias) for block in made.blocks}) == 1
    assert sum(p.numel() for p in made.parameters()) == 6 * 64 + 8
    assert all(p.is_meta for p in made.parameters())
    assert not any(p.is_meta for p in net.parameters())


def test_stages_of_a_resnet_keep_their_first_block():
    """As torchvision builds it: every number of blocks times two; a stage of two has one that is repeated."""

    def resnet(blocks: int) -> nn.Module:
        with torch.device("meta"):
            return torchvision().models.ResNet(torchvision().models.resnet.BasicBlock, [blocks] * 4)

    for blocks, factors in ((2, (1, 2, 4)), (4, (0.75, 1, 2))):
        found = growth(resnet(blocks), empty(1, 3, 64, 64), "depth", factors)
        for factor, row in zip(factors, found.rows, strict=True):
            blueprint = inspect(resnet(round(blocks * factor)), empty(1, 3, 64, 64))
            assert (row.size, row.params, row.macs) == (4 * blocks * factor, blueprint.params, blueprint.macs)


def test_what_stands_side_by_side_is_no_depth():
    with pytest.raises(InputError, match="no equal blocks feed one another"):
        growth(Experts(3), torch.zeros(1, 8), "depth")


def test_a_forward_that_does_not_know_of_new_blocks_says_so():
    with pytest.raises(InputError, match=r"took 1 of 3: its forward does not call the added blocks\.2"):
        growth(Loop(2, called=2), torch.zeros(1, 8), "depth")


def test_names_of_named_blocks_stay_apart():
    net = nn.Sequential()
    for name in ("layer_0", "layer_1", "layer_2"):
        net.add_module(name, nn.Linear(4, 4))
    net.add_module("head", nn.Linear(4, 2))
    made = resizing(net, torch.zeros(1, 4), "depth")(1.25)
    assert list(dict(made.module.named_children())) == ["layer_0", "layer_1", "layer_2", "layer_3", "head"]
    assert made.called == ("layer_0", "layer_1", "layer_2", "layer_3")


def test_the_module_is_left_as_it_was():
    net = chain(8, 3).train()
    before = {name: id(value) for name, value in net.state_dict(keep_vars=True).items()}
    growth(net, torch.zeros(2, 4), "depth")
    assert {name: id(value) for name, value in net.state_dict(keep_vars=True).items()} == before
    assert net.training


def test_width_is_set_where_it_is_made():
    with pytest.raises(InputError, match="its width is set where it is made"):
        growth(chain(8, 3), torch.zeros(2, 4), "width")


# By the configuration of transformers


def llama(**options) -> nn.Module:
    config = {
        "hidden_size": 64,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "vocab_size": 50,
        **options,
    }
    with torch.device("meta"):
        return transformers().LlamaForCausalLM(transformers().LlamaConfig(**config))


def llama_macs(dim: int, heads: int, kv: int, hidden: int, layers: int, n: int = 16, vocab: int = 50) -> int:
    head = 8
    layer = n * dim * (2 * heads * head + 2 * kv * head) + 2 * n * n * heads * head + 3 * n * dim * hidden
    return layers * layer + n * dim * vocab


def test_depth_of_a_llama():
    found = growth(llama(), {"input_ids": IDS}, "depth", (0.5, 1, 2))
    assert [row.size for row in found.rows] == [1, 2, 4]
    assert [row.macs for row in found.rows] == [llama_macs(64, 8, 2, 128, layers) for layers in (1, 2, 4)]


def test_width_of_a_llama_keeps_the_size_of_its_heads():
    found = growth(llama(), {"input_ids": IDS}, "width", (0.5, 1, 2))
    assert [row.size for row in found.rows] == [32, 64, 128]
    expected = [llama_macs(int(64 * f), int(8 * f), int(2 * f), int(128 * f), 2) for f in (0.5, 1, 2)]
    assert [row.macs for row in found.rows] == expected
    made = resizing(llama(), {"input_ids": IDS}, "width")(2).module
    assert made.config.num_key_value_heads == 4
    assert made.model.layers[0].self_attn.head_dim == 8


def test_what_is_said_of_each_layer_goes_on():
    library = transformers()
    with torch.device("meta"):
        config = library.Gemma3TextConfig(
            num_hidden_layers=6, hidden_size=64, num_attention_heads=8, num_key_value_heads=2, vocab_size=50
        )
        net = library.Gemma3TextModel(config)
    made = resizing(net, {"input_ids": IDS}, "depth")(2).module
    assert made.config.layer_types == 2 * config.layer_types
    assert len(made.layers) == 12


@pytest.mark.parametrize(
    ("model", "axis", "sizes"),
    [
        ("GPT2", "depth", [1, 2, 4]),
        ("GPT2", "width", [64, 128, 256]),
        ("Bart", "depth", [1, 2, 4]),
        ("T5", "width", [64, 128, 256]),
        ("Swin", "depth", [4, 8, 16]),
        ("Swin", "width", [64, 128, 256]),
    ],
)
def test_names_of_other_configurations(model, axis, sizes):
    """Numbers that a configuration calls by two names are scaled once."""
    library = transformers()
    configs = {
        "GPT2": {"n_layer": 2, "n_embd": 128, "n_head": 4, "vocab_size": 50},
        "Bart": {"encoder_layers": 2, "decoder_layers": 2, "d_model": 64, "vocab_size": 50},
        "T5": {"num_layers": 1, "d_model": 128, "num_heads": 4, "d_kv": 32, "d_ff": 64, "vocab_size": 50},
        "Swin": {
            "embed_dim": 16,
            "depths": [2, 2, 2, 2],
            "num_heads": [2, 2, 4, 4],
            "image_size": 64,
            "window_size": 2,
        },
    }
    with torch.device("meta"):
        net = getattr(library, f"{model}Model")(getattr(library, f"{model}Config")(**configs[model]))
    inputs = {"input_ids": IDS} | ({"decoder_input_ids": IDS} if model == "T5" else {})
    inputs = {"pixel_values": empty(1, 3, 64, 64)} if model == "Swin" else inputs
    found = growth(net, inputs, axis, (0.5, 1, 2))
    assert [row.size for row in found.rows] == sizes
    assert [row.error for row in found.rows] == ["", "", ""]
    assert found.rows[0].macs < found.rows[1].macs < found.rows[2].macs


def test_a_constructor_that_refuses_is_a_row():
    class Config:
        hidden_size = 4

        def to_dict(self):
            return {"hidden_size": self.hidden_size}

    class Net(nn.Module):
        def __init__(self, config):
            super().__init__()
            if config.hidden_size > 8:
                raise RuntimeError("too wide")
            self.config, self.linear = config, nn.Linear(4, config.hidden_size)

        def forward(self, x):
            return self.linear(x)

    found = growth(Net(Config()), torch.zeros(1, 4), "width", (1, 2, 4))
    assert [(row.size, row.params) for row in found.rows] == [(4, 20), (8, 40), (16, None)]
    assert found.rows[2].error == "it can't be made: RuntimeError: too wide"


def test_no_depth_in_a_configuration():
    class Config:
        def to_dict(self):
            return {}

    net = nn.Linear(4, 4)
    net.config = Config()
    with pytest.raises(InputError, match="its configuration has no depth"):
        growth(net, torch.zeros(1, 4), "depth")
