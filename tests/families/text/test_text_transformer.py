"""TextTransformer is torch's TransformerEncoder with norms before the branches."""

import re
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks import pooling
from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.position import Identity, Sinusoidal
from netwright.families.text.text_transformer import PRESETS, TextTransformer
from tests.families.presets import check_counts
from tests.families.text import contract
from tests.parity import assert_same, copy_by_map, count, randomise

SMALL = partial(TextTransformer, contract.VOCAB, max_length=21, dim=8, depth=2)


class Reference(nn.Module):
    def __init__(self, vocab_size: int, num_classes: int, max_length: int, dim: int, depth: int, num_heads: int):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.position = nn.Parameter(torch.empty(max_length, dim))
        layer = nn.TransformerEncoderLayer(
            dim, num_heads, 4 * dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(dim), enable_nested_tensor=False)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.position[: tokens.shape[1]]
        x = self.encoder(x, src_key_padding_mask=tokens == 0)
        return self.head(torch.stack([text[row != 0].mean(0) for text, row in zip(x, tokens, strict=True)]))


def key(name: str) -> str:
    name = re.sub(r"^norm\.", "encoder.norm.", re.sub(r"^blocks\.", "encoder.layers.", name))
    names = {
        "position.weight": "position",
        ".mixer.qkv.": ".self_attn.in_proj_",
        ".mixer.proj.": ".self_attn.out_proj.",
        ".channel.fc": ".linear",
    }
    for ours, theirs in names.items():
        name = name.replace(ours, theirs)
    return name


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_torch(train):
    mixer = partial(Attention, num_heads=4)
    ours = TextTransformer(contract.VOCAB, 3, max_length=12, dim=16, depth=3, mixer=mixer, dropout=0.0)
    theirs = randomise(Reference(contract.VOCAB, 3, 12, 16, 3, 4))
    x = contract.texts([9, 3, 1, 6, 12], 12)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, key), train=train)


def test_every_preset_has_the_count():
    check_counts(TextTransformer, PRESETS)
    with torch.device("meta"):
        for preset in PRESETS.values():
            dim, depth = preset["args"]["dim"], preset["args"]["depth"]
            assert count(Reference(30_522, 2, 512, dim, depth, dim // 64)) == preset["params"]


@pytest.mark.parametrize("name", pooling.__all__)
def test_contract(name):
    make = partial(SMALL, pooling=getattr(pooling, name))
    contract.check_padding(randomise(make()))
    contract.check_training(make)
    contract.check_everywhere(make)


@pytest.mark.parametrize("position", [Identity, Sinusoidal])
def test_positions(position):
    make = partial(SMALL, position=position)
    contract.check_padding(randomise(make()))
    contract.check_everywhere(make)


def test_order_matters_with_positions_only():
    text = contract.texts([9], 9)
    for position, matters in [({}, True), ({"position": Sinusoidal}, True), ({"position": Identity}, False)]:
        model = randomise(SMALL(**position)).eval()
        assert bool((model(text) - model(text.flip(1))).abs().max() > 1e-4) == matters


def test_every_token_counts():
    contract.check_every_token_counts(randomise(SMALL()))


def test_too_long_is_said():
    with pytest.raises(ValueError, match="22 tokens, but positions for 21"):
        SMALL()(contract.texts([22], 22))


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, channel=GatedFeedForward, norm=nn.RMSNorm)
    assert not any(isinstance(m, (nn.LayerNorm, nn.GELU)) for m in model.modules())
    assert model(contract.texts([3, 4], 4)).shape == (2, 3)


def test_dropout_and_drop_path_act_in_training_only():
    x = contract.texts([5] * 8, 5)
    for rates in ({"dropout": 0.5}, {"dropout": 0.0, "drop_path": 0.9}):
        model = SMALL(**rates)
        assert torch.equal(model.eval()(x), model(x))
        assert not torch.equal(model.train()(x), model(x))


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(1, 20)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2)) < count(SMALL(depth=3))
