"""Sizes in symbols: put in other sizes, and they are those of a real capture there."""

import copy

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn

import netwright as nw
from netwright.inspect import Blueprint, Symbols, inspect, symbolic
from netwright.inspect.fakes import mapped
from netwright.inspect.tensors import as_call, tensors_in
from tests.references import torchvision, transformers


def empty(*shape: int, whole: bool = False) -> torch.Tensor:
    return torch.empty(shape, dtype=torch.long if whole else torch.float32, device="meta")


def both(module: nn.Module, inputs) -> tuple[Blueprint, Symbols]:
    blueprint = inspect(module, inputs)
    found = symbolic(module, blueprint, inputs)
    assert found is not None
    return blueprint, found


def holds(module: nn.Module, inputs, sizes: dict[str, int], blueprint: Blueprint, found: Symbols) -> None:
    """Every expression, put to these sizes, is what a capture with `inputs` of these sizes shows; and so is every
    number, but for those that are said to be unclear."""
    there = inspect(module, inputs)
    unclear = found.unclear
    rows = {row.id: row for row in there.rows}
    for number, row in enumerate(blueprint.rows):
        for side in ("inputs", "outputs"):
            words = getattr(found, side)[number]
            for shape, real in zip(words, getattr(rows[row.id], side), strict=True):
                said = [found.exact[n].at(sizes) if isinstance(n, str) else n for n in shape]
                wrong = [n for n, one, other in zip(shape, said, real, strict=True) if one != other]
                unclear -= len(wrong)
                assert unclear >= 0 and not any(isinstance(n, str) for n in wrong), (row.id, shape, real)
    edges = [(edge.source, edge.target, edge.shape) for edge in there.edges]
    for edge, words in zip(blueprint.edges, found.edges, strict=True) if not found.unclear else ():
        shape = tuple(found.exact[n].at(sizes) if isinstance(n, str) else n for n in words)
        assert (edge.source, edge.target, shape) in edges
    apart = [(sizes[symbol] - found.sizes[symbol]) % step for symbol, step in found.macs_steps.items()]
    if found.macs and not any(apart):
        assert found.macs.at(sizes) == there.macs


def test_a_perceptron_follows_the_batch():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    blueprint, found = both(net, empty(3, 4))
    assert (found.sizes, found.steps, found.fixed) == ({"B": 3}, {"B": 1}, {})
    assert found.outputs[0] == [["B", 2]]
    assert str(found.macs) == "48·B"
    holds(net, empty(7, 4), {"B": 7}, blueprint, found)


def test_convolutions_at_odd_sizes():
    layers = [nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3, 2, 1), nn.MaxPool2d(3, 2), nn.ConvTranspose2d(8, 4, 2, 2)]
    net = nn.Sequential(*layers)
    blueprint, found = both(net, empty(2, 3, 33, 45))
    assert [shapes[0][2] for shapes in found.outputs[1:]] == ["⌊(H−1)/2⌋", "⌊(H+1)/4⌋", "⌊(H−3)/8⌋", "2·⌊(H−3)/8⌋"]
    assert found.macs_steps == {"B": 1, "H": 8, "W": 8}
    for batch, height, width in ((1, 64, 65), (5, 100, 31), (3, 33 + 80, 45 + 8)):
        holds(net, empty(batch, 3, height, width), {"B": batch, "H": height, "W": width}, blueprint, found)


def test_a_resnet_in_words():
    blueprint, found = both(nw.build("resnet18"), empty(1, 3, 224, 224))
    stem = next(number for number, row in enumerate(blueprint.rows) if row.path == "stem")
    assert found.outputs[stem] == [["B", 64, "⌈H/4⌉", "⌈W/4⌉"]]
    assert found.outputs[0] == [["B", 1000]]
    # At multiples of 32: all convolutions, and the head.
    assert found.macs_steps == {"B": 1, "H": 32, "W": 32}
    assert found.macs.at({"B": 1, "H": 0, "W": 0}) == 512 * 1000
    assert found.macs.at({"B": 3, "H": 224, "W": 224}) == 3 * blueprint.macs


def test_sizes_that_a_network_refuses():
    """Skips need even sizes: nothing is rounded then."""

    class Skipping(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Conv2d(3, 8, 2, 2), nn.ConvTranspose2d(8, 3, 2, 2)

        def forward(self, x):
            return x + self.up(self.down(x))

    net = Skipping()
    blueprint, found = both(net, empty(1, 3, 32, 32))
    assert found.steps == {"B": 1, "H": 2, "W": 2}
    assert found.outputs[1] == [["B", 8, "H/2", "W/2"]]
    holds(net, empty(2, 3, 10, 36), {"B": 2, "H": 10, "W": 36}, blueprint, found)


def test_tokens_of_an_image():
    """One for each patch, and one for the class; MACs square in them."""
    net = nw.build("vit", image_size=64, patch_size=16, dim=48, depth=2)
    blueprint, found = both(net, empty(1, 3, 64, 64))
    assert any("⌈H/16⌉·⌈W/16⌉+1" in shape for shapes in found.outputs for shape in shapes)
    holds(net, empty(3, 3, 96, 32), {"B": 3, "H": 96, "W": 32}, blueprint, found)
    assert max(sum(powers[1:]) for powers in found.macs.terms) == 4


def test_a_fixed_image_size_is_said():
    net = torchvision().models.vit_b_16(weights=None, image_size=32)
    _, found = both(net, empty(1, 3, 32, 32))
    assert set(found.fixed) == {"H", "W"}
    assert "Wrong image" in found.fixed["H"]
    assert found.outputs[0] == [["B", 1000]]


def test_fixed_positions_are_said():
    class Positioned(nn.Module):
        def __init__(self):
            super().__init__()
            self.positions = nn.Parameter(torch.zeros(16, 8))

        def forward(self, x):
            return x + self.positions

    blueprint, found = both(Positioned(), empty(2, 16, 8))
    assert (found.sizes, set(found.fixed)) == ({"B": 2, "N": 16}, {"N"})
    assert found.outputs[0] == [["B", 16, 8]]
    holds(Positioned(), empty(5, 16, 8), {"B": 5, "N": 16}, blueprint, found)


@pytest.mark.slow
def test_windows_are_padded_to_full_ones():
    net = torchvision().models.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [4, 4], num_classes=3)
    blueprint, found = both(net, empty(1, 3, 64, 64))
    assert not found.fixed
    holds(net, empty(2, 3, 96, 32), {"B": 2, "H": 96, "W": 32}, blueprint, found)


def decoder(name: str) -> nn.Module:
    library = transformers()
    sizes = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    if name == "gpt2":
        config = library.GPT2Config(vocab_size=50, n_positions=64, n_embd=16, n_layer=2, n_head=2)
        return library.GPT2LMHeadModel(config)
    return library.LlamaForCausalLM(library.LlamaConfig(intermediate_size=32, num_key_value_heads=1, **sizes))


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_a_decoder_follows_its_length(name):
    net, inputs = decoder(name), {"input_ids": empty(2, 16, whole=True)}
    inputs["attention_mask"] = empty(2, 16, whole=True)
    blueprint, found = both(net, inputs)
    assert found.outputs[0][0] == ["B", "N", 50]
    assert found.macs.symbols == ("B", "N")
    assert set(found.macs.terms) == {(1, 1), (1, 2)}
    there = mapped(inputs, lambda one: empty(3, 40, whole=True))
    holds(net, there, {"B": 3, "N": 40}, blueprint, found)


def test_rounded_after_it_grew():
    net = nn.Sequential(nn.ConvTranspose2d(2, 2, 2, 2), nn.MaxPool2d(3, 3))
    blueprint, found = both(net, empty(1, 2, 30, 31))
    assert (found.outputs[0], found.unclear) == ([["B", 2, "⌊2H/3⌋", "⌊2W/3⌋"]], 0)
    holds(net, empty(1, 2, 41, 76), {"B": 1, "H": 41, "W": 76}, blueprint, found)


def test_a_sequence_behind_its_channels():
    net = nn.Sequential(nn.Conv1d(3, 8, 5, 2), nn.AvgPool1d(2))
    blueprint, found = both(net, empty(1, 3, 50))
    assert found.outputs[0] == [["B", 8, "⌊(N−3)/4⌋"]]
    holds(net, empty(2, 3, 71), {"B": 2, "N": 71}, blueprint, found)


def test_no_forward_on_fakes_no_symbols():
    class Reads(nn.Module):
        def forward(self, x):
            return x * 2 if x.sum().item() > 0 else x

    net, x = Reads(), torch.ones(2, 3)
    assert symbolic(net, inspect(net, x), x) is None
    assert "does not run on fakes" in nw.inspect(net, x, symbolic=True).notes[-1]


LAYERS = st.one_of(
    st.builds(
        lambda k, s, p, d: nn.Conv2d(2, 2, k, s, p, d),
        st.integers(1, 5),
        st.integers(1, 3),
        st.integers(0, 2),
        st.integers(1, 2),
    ),
    st.builds(lambda k, s: nn.MaxPool2d(k, s, k // 2), st.integers(2, 3), st.integers(1, 3)),
    st.builds(lambda s: nn.ConvTranspose2d(2, 2, s, s), st.integers(2, 3)),
    st.builds(lambda s: nn.Upsample(scale_factor=s), st.integers(2, 3)),
    st.builds(lambda s: nn.AdaptiveAvgPool2d(s), st.integers(1, 4)),
)


def runs(net, *sides):
    """A stack may shrink its maps below a kernel."""
    try:
        copy.deepcopy(net).to("meta")(torch.empty(2, 2, *sides, device="meta"))
    except RuntimeError:
        return False
    return True


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(LAYERS, min_size=1, max_size=4), st.integers(30, 50), st.data())
def test_random_stacks_of_convolutions(layers, side, data):
    net = nn.Sequential(*layers)
    assume(runs(net, side, side + 1))
    growing = [isinstance(layer, nn.ConvTranspose2d | nn.Upsample) for layer in layers]
    sizes = {name: data.draw(st.integers(40, 400), label=name) for name in ("H", "W")} | {"B": 3}
    assume(runs(net, sizes["H"], sizes["W"]))
    blueprint, found = both(net, empty(2, 2, side, side + 1))
    assert any(growing) or not found.unclear
    holds(net, empty(3, 2, sizes["H"], sizes["W"]), sizes, blueprint, found)


def test_what_json_says():
    blueprint = nw.inspect(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1)), torch.zeros(2, 3, 32, 32), symbolic=True)
    said = blueprint.to_json()["symbols"]
    assert said["outputs"] == [[["B", 8, "⌈H/2⌉", "⌈W/2⌉"]]] * 2
    assert len(said["edges"]) == len(blueprint.edges)
    assert said["macs"] == "54·B·H·W"
    assert said["macs_terms"] == [{"coefficient": "54", "powers": {"B": 1, "H": 1, "W": 1}}]
    assert "symbols" not in nw.inspect(nn.Linear(2, 2), torch.zeros(1, 2)).to_json()
    assert next(tensors_in(as_call(blueprint.example))).shape == (2, 3, 32, 32)
