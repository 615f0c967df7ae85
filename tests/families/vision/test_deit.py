"""DeiT with a distillation token is timm's, and its losses are those of the paper."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.distillation import HardDistillation, SoftDistillation
from netwright.families.vision.deit import PRESETS, DeiT
from netwright.weights.maps import deit
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import timm

SMALL = partial(DeiT, image_size=32, dim=16, depth=6, patch_size=8)


class Reference(nn.Module):
    """timm's distilled transformer, which in training gives both logits as a pair."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        model.set_distilled_training(True)

    def forward(self, x: Tensor) -> Tensor:
        logits = self.model(x)
        return torch.stack(logits, 1) if self.training else logits


def reference(**overrides) -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 6, "num_heads": 1, "num_classes": 7}
    return randomise(Reference(timm().models.deit.VisionTransformerDistilled(**(args | overrides))))


def timm_key(key: str) -> str:
    return f"model.{deit.timm(key)}"


def test_every_preset_has_the_published_count():
    check_counts(DeiT, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_timms(name):
    with torch.device("meta"):
        model = timm().create_model(f"deit_{name}_distilled_patch16_224", num_classes=1000)
        assert count(model) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_timm(train):
    ours, theirs = SMALL(num_classes=7), reference()
    assert_same(ours, theirs, contract.images(3, 3, 32, 32), copy_by_map(ours, theirs, timm_key), train=train)


def test_the_preset_tiny_is_timms():
    ours = build(DeiT, PRESETS["tiny"]["args"])
    theirs = randomise(Reference(timm().create_model("deit_tiny_distilled_patch16_224")))
    assert_same(ours, theirs, contract.images(1, 3, 224, 224), copy_by_map(ours, theirs, timm_key), train=True)


@pytest.mark.parametrize("size", [(40, 32), (33, 47), (8, 5)])
def test_other_sizes_are_timms(size):
    ours, theirs = SMALL(num_classes=7), reference(dynamic_img_size=True, dynamic_img_pad=True)
    assert_same(ours, theirs, contract.images(2, 3, *size), copy_by_map(ours, theirs, timm_key))


def test_both_heads_in_training_and_their_mean_in_evaluation():
    model, x = randomise(SMALL(num_classes=7)), contract.images(2, 3, 32, 32)
    both = model.train()(x)
    assert both.shape == (2, 2, 7) and not torch.allclose(both[:, 0], both[:, 1], atol=1e-3)
    torch.testing.assert_close(model.eval()(x), both.mean(1))


@pytest.mark.parametrize(("depth", "maps"), [(1, 1), (3, 3), (12, 4)])
def test_feature_maps(depth, maps):
    model = SMALL(depth=depth)
    assert model.channels == [16] * maps and model.strides == [8] * maps
    contract.check_features(model, 32)
    assert [tuple(x.shape[2:]) for x in model.features(contract.images(1, 3, 17, 30))] == [(3, 4)] * maps


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("size", [(32, 32), (17, 40), (1, 3)])
def test_any_size_and_channels(size, channels):
    model = SMALL(num_classes=7, in_channels=channels)
    y = model(contract.images(3, channels, *size))
    assert y.shape == (3, 2, 7)
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(partial(SMALL, depth=2), 20)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 32)
    contract.check_independent_of_batch(randomise(SMALL()), 32)


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(4, 40, 4)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2)) < count(SMALL(depth=6))


def log_softmax(z: Tensor) -> Tensor:
    return z - z.exp().sum(-1, keepdim=True).log()


def test_hard_distillation_by_hand():
    logits, teacher, target = torch.randn(4, 2, 3), torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    loss = HardDistillation()(logits, target, teacher)
    own, taught = log_softmax(logits[:, 0]), log_softmax(logits[:, 1])
    terms = [-own[i, target[i]] / 2 - taught[i, teacher[i].argmax()] / 2 for i in range(4)]
    torch.testing.assert_close(loss, torch.stack(terms).mean())


def test_soft_distillation_by_hand():
    logits, teacher, target = torch.randn(4, 2, 3), torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    loss = SoftDistillation(teacher_weight=0.3, temperature=2.0)(logits, target, teacher)
    own, taught, wanted = log_softmax(logits[:, 0]), log_softmax(logits[:, 1] / 2), log_softmax(teacher / 2)
    labels = -own[range(4), target].mean()
    divergence = (wanted.exp() * (wanted - taught)).sum(-1).mean()
    torch.testing.assert_close(loss, 0.7 * labels + 0.3 * 4 * divergence)


@pytest.mark.parametrize("loss", [HardDistillation(label_smoothing=0.1), SoftDistillation(label_smoothing=0.1)])
def test_a_student_with_one_head_and_labels_as_probabilities(loss):
    logits, teacher, target = torch.randn(4, 3), torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    expected = loss(torch.stack([logits, logits], 1), target, teacher)
    torch.testing.assert_close(loss(logits, target, teacher), expected)
    soft = nn.functional.one_hot(target, 3).float()
    torch.testing.assert_close(loss(logits, soft, teacher), expected)


def test_the_loss_is_least_where_student_and_teacher_agree():
    teacher = torch.randn(5, 4)
    both = torch.stack([teacher, teacher], 1)
    loss = SoftDistillation(teacher_weight=1.0)
    assert loss(both, teacher.argmax(-1), teacher).abs() < 1e-6
    assert loss(both + torch.randn(5, 2, 4), teacher.argmax(-1), teacher) > 0.01
