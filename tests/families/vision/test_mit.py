"""The Mix Transformer is SegFormer's encoder in transformers, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.cross_attention import CrossAttention
from netwright.blocks.mix_feed_forward import MixFeedForward
from netwright.blocks.patch import OverlapPatchEmbed
from netwright.blocks.reduced_attention import ReducedAttention
from netwright.families.vision.mit import PRESETS, MixTransformer
from netwright.weights.maps import mit
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import transformers

SMALL = partial(MixTransformer, dim=4, depths=(1, 1, 2), patch_size=2)


class Reference(nn.Module):
    """SegformerForImageClassification, its logits alone."""

    def __init__(self, num_classes: int, dim: int, depths: list[int]):
        super().__init__()
        widths = [dim * n for n in (1, 2, 5, 8)]
        config = transformers().SegformerConfig(
            num_labels=num_classes, depths=depths, hidden_sizes=widths, drop_path_rate=0.0, classifier_dropout_prob=0.0
        )
        self.model = transformers().SegformerForImageClassification(config)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).logits


def their_key(key: str) -> str:
    return f"model.{mit.transformers(key)}"


def test_every_preset_has_the_published_count():
    check_counts(MixTransformer, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_those_of_transformers(name):
    with torch.device("meta"):
        assert count(Reference(1000, **PRESETS[name]["args"])) == PRESETS[name]["params"]
        assert str(MixTransformer()) == str(MixTransformer(**PRESETS["b0"]["args"]))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_transformers(train):
    ours, theirs = MixTransformer(7, dim=8, depths=(1, 2, 1, 1)), randomise(Reference(7, 8, [1, 2, 1, 1]))
    x = contract.images(2, 3, 75, 66)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, their_key), train=train)


def test_the_preset_b0_and_its_maps_are_those_of_transformers():
    ours, theirs = build(MixTransformer, PRESETS["b0"]["args"]), randomise(Reference(1000, 32, [2, 2, 2, 2]))
    mapping = copy_by_map(ours, theirs, their_key)
    ours, theirs = ours.double(), theirs.double()  # a key's bias has no gradient but rounding, eight times over
    x = contract.images(1, 3, 64, 75).double()
    assert_same(ours, theirs, x, mapping, tolerance=1e-9)
    maps = theirs.eval().model.segformer(x, output_hidden_states=True).hidden_states
    for a, b in zip(ours.eval().features(x), maps, strict=True):
        assert b.std() > 0
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    model = MixTransformer(dim=4, depths=(1, 1, 1, 1))
    contract.check_features(model, 64)
    assert model.strides == [4, 8, 16, 32] and model.channels == [4, 8, 20, 32]
    sizes = [tuple(x.shape[2:]) for x in model.features(contract.images(1, 3, 33, 50))]
    assert sizes == [(9, 13), (5, 7), (3, 4), (2, 2)]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(32, 32), (17, 31), (1, 3)])
    contract.check_sizes(partial(SMALL, patch_size=1), [(7, 9)], in_channels=[1])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 20)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, norm=nn.RMSNorm, activation=nn.SiLU)
    assert not any(isinstance(m, (nn.LayerNorm, nn.GELU)) for m in model.modules())
    assert model(contract.images(1, 3, 16, 16)).shape == (1, 3)


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(2, 20)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depths=(1, 1, 1))) < count(SMALL(depths=(1, 2, 1)))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="one to four"):
        MixTransformer(depths=(1, 1, 1, 1, 1))


def test_reduced_attention_looks_at_whole_patches():
    model = randomise(ReducedAttention(8, num_heads=2, reduction=2, norm=nn.Identity)).eval()
    x = torch.randn(1, 5, 7, 8)
    keys = model.reduce.conv.conv(x[:, :4, :6].permute(0, 3, 1, 2)).flatten(2).transpose(1, 2)
    assert keys.shape == (1, 2 * 3, 8)
    expected = model.attention(x.flatten(1, 2), keys).view_as(x)
    torch.testing.assert_close(model(x), expected)
    assert model(x[:, :1, :1]).shape == (1, 1, 1, 8)


def test_without_reduction_it_is_plain_attention():
    model = randomise(ReducedAttention(8, num_heads=2, reduction=1)).eval()
    assert [type(m) for m in model.children()] == [nn.Identity, CrossAttention]
    x, order = torch.randn(2, 3, 4, 8), torch.randperm(12)
    shuffled = x.flatten(1, 2)[:, order].view_as(x)
    expected = model(x).flatten(1, 2)[:, order].view_as(x)
    torch.testing.assert_close(model(shuffled), expected, rtol=1e-5, atol=1e-6)


def test_mix_feed_forward_without_neighbours_is_a_perceptron():
    model = randomise(MixFeedForward(4, mlp_ratio=2)).eval()
    centre = model.conv.weight[:, 0, 1, 1].clone()
    with torch.no_grad():
        model.conv.weight.zero_()[:, 0, 1, 1] = centre
    x = torch.randn(2, 3, 5, 4)
    expected = model.fc2(model.act(model.fc1(x) * centre + model.conv.bias))
    torch.testing.assert_close(model(x), expected)


def test_overlapping_patches_by_hand():
    model = randomise(OverlapPatchEmbed(2, 3, stride=4, norm=nn.Identity))
    x = torch.randn(1, 2, 9, 14)
    whole = nn.functional.pad(x, (3, 3, 3, 3))
    y = model(x)
    assert y.shape == (1, 3, 4, 3)
    patch = whole[0, :, 8:15, 4:11].flatten()  # round pixel (8, 4)
    torch.testing.assert_close(y[0, 2, 1], model.conv.weight.flatten(1) @ patch + model.conv.bias)
