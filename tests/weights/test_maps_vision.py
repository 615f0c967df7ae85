"""More classifiers, in a small size each: the references' checkpoints make our networks equal to them."""

import re
from functools import partial

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.families.vision.alexnet import AlexNet
from netwright.families.vision.deit import DeiT
from netwright.families.vision.densenet import DenseNet
from netwright.families.vision.mit import MixTransformer
from netwright.families.vision.mlp_mixer import MLPMixer
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.nasnet import NASNet
from netwright.families.vision.preresnet import PreActResNet
from netwright.families.vision.swin import Swin
from netwright.families.vision.vgg import VGG
from netwright.families.vision.vit import ViT
from netwright.weights import Input, load_into
from tests.families.pretraining import test_mae
from tests.families.vision import test_nasnet as test_nasnet_family
from tests.families.vision.contract import images
from tests.parity import randomise
from tests.references import timm, torchvision, transformers
from tests.weights.published import assert_loads, logits, plainly

TINY_VIT = {"image_size": 32, "dim": 16, "depth": 2, "patch_size": 8}
NARROW_VGG = partial(VGG, 7, dim=8, depths=(1, 1, 2), hidden=(16, 12))
HF_VIT = {"image_size": 32, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 64}
HF_VIT |= {"num_attention_heads": 1, "num_labels": 7, "layer_norm_eps": 1e-6}


def tv_vgg(norm: bool) -> nn.Module:
    module = torchvision().models.vgg
    with torch.device("meta"):  # its own classifier is wide, and thrown away
        net = module.VGG(module.make_layers([8, "M", 16, "M", 32, 32, "M"], batch_norm=norm), init_weights=False)
    net.classifier = three(32 * 7 * 7, 16, 12)
    return net.to_empty(device="cpu")


def three(width: int, *hidden: int) -> nn.Sequential:
    """VGG's classifier in a narrow form; torchvision has the wide one alone."""
    net = nn.Sequential()
    for out in hidden:
        net.extend([nn.Linear(width, out), nn.ReLU(), nn.Dropout()])
        width = out
    return net.append(nn.Linear(width, 7))


def tm_vgg() -> nn.Module:
    parts = timm().models.vgg
    with torch.device("meta"):
        net = parts.VGG([8, "M", 16, "M", 32, 32, "M"], num_classes=7, norm_layer=nn.BatchNorm2d)
    net.pre_logits = parts.ConvMlp(32, 16, 7, mlp_ratio=1.0, drop_rate=0.0)
    net.pre_logits.fc2 = nn.Conv2d(16, 12, 1)
    net.head.fc = nn.Linear(12, 7)
    return net.to_empty(device="cpu")


def tv_alexnet() -> nn.Module:
    with torch.device("meta"):
        net = torchvision().models.alexnet()
    net.classifier = nn.Sequential(
        *(nn.Dropout(), nn.Linear(9216, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 7))
    )
    return net.to_empty(device="cpu")


def tv_densenet() -> nn.Module:
    return torchvision().models.densenet.DenseNet(4, (2, 3, 1), 16, num_classes=7)


def tm_densenet() -> nn.Module:
    return timm().models.densenet.DenseNet(4, (2, 3, 1), num_classes=7)


def tv_swin() -> nn.Module:
    model = torchvision().models.swin_transformer.SwinTransformer
    return model([4, 4], 16, [2, 1], [1, 2], [7, 7], stochastic_depth_prob=0.0, num_classes=7)


def tm_swin() -> nn.Module:
    args = {"img_size": 112, "embed_dim": 16, "depths": (2, 1), "num_heads": (1, 2), "num_classes": 7}
    return timm().models.swin_transformer.SwinTransformer(**args)


def tm_deit() -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 1, "num_classes": 7}
    return timm().models.deit.VisionTransformerDistilled(**args)


def hf_deit() -> nn.Module:
    return transformers().DeiTForImageClassificationWithTeacher(transformers().DeiTConfig(**HF_VIT))


def tm_mixer() -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "num_blocks": 2, "num_classes": 7}
    return timm().models.mlp_mixer.MlpMixer(**args)


def hf_mit() -> nn.Module:
    config = transformers().SegformerConfig(num_labels=7, depths=[1, 2, 1, 1], hidden_sizes=[8, 16, 40, 64])
    return transformers().SegformerForImageClassification(config)


def tm_preresnet() -> nn.Module:
    layers = {"conv_layer": timm().layers.create_conv2d, "norm_layer": timm().layers.BatchNormAct2d}
    return timm().models.resnetv2.ResNetV2([1, 2], [32, 64], num_classes=7, stem_chs=8, **layers)


CASES = {
    "vgg torchvision": (NARROW_VGG, partial(tv_vgg, False), "torchvision"),
    "vgg with norms torchvision": (partial(NARROW_VGG, norm=nn.BatchNorm2d), partial(tv_vgg, True), "torchvision"),
    "vgg timm": (partial(NARROW_VGG, norm=nn.BatchNorm2d), tm_vgg, "timm"),
    "alexnet": (partial(AlexNet, 7, hidden=(16, 12)), tv_alexnet, "torchvision"),
    "densenet": (partial(DenseNet, 7, dim=16, growth_rate=4, depths=(2, 3, 1)), tv_densenet, "torchvision or timm"),
    "densenet timm": (
        partial(DenseNet, 7, dim=8, growth_rate=4, depths=(2, 3, 1)),
        tm_densenet,
        "torchvision or timm",
    ),
    "swin torchvision": (partial(Swin, 7, dim=16, depths=(2, 1), head_dim=16), tv_swin, "torchvision"),
    "swin timm": (partial(Swin, 7, dim=16, depths=(2, 1), head_dim=16), tm_swin, "timm"),
    "deit timm": (partial(DeiT, 7, **TINY_VIT), tm_deit, "timm"),
    "deit transformers": (partial(DeiT, 7, **TINY_VIT), hf_deit, "transformers"),
    "mixer": (partial(MLPMixer, 7, **TINY_VIT), tm_mixer, "timm"),
    "mit": (partial(MixTransformer, 7, dim=8, depths=(1, 2, 1, 1)), hf_mit, "transformers"),
    "preresnet": (partial(PreActResNet, 7, dim=8, depths=(1, 2)), tm_preresnet, "timm"),
}
SIZES = {"vgg timm": (56, 61), "swin timm": (112, 112)}
SIZES |= dict.fromkeys(("mixer", "deit timm", "deit transformers"), (32, 32))


@pytest.mark.parametrize("name", CASES)
def test_same_outputs(name, tmp_path):
    make, reference, publisher = CASES[name]
    theirs = randomise(reference())
    x = images(2, 3, *SIZES.get(name, (64, 75)))
    loaded = assert_loads(make(), theirs, tmp_path, x, logits if hasattr(theirs, "config") else plainly)
    assert loaded.publisher == publisher and not loaded.adapted
    assert all("relative_position_index" in key for key in loaded.left_out)


def test_nasnet(tmp_path):
    """timm's average counts the zeros that it pads with, which the authors' code and ours do not: set right."""
    theirs = randomise(timm().models.nasnet.NASNetALarge(10, stem_size=12, num_features=24 * 8))
    for cell in (theirs.cell_stem_0, theirs.cell_stem_1, theirs.reduction_cell_0, theirs.reduction_cell_1):
        cell.comb_iter_2_left = test_nasnet_family.MeanOfPixels()
    ours = NASNet(10, dim=8, depth=6, stem_dim=12, skip_reduction=True)
    loaded = assert_loads(ours, theirs, tmp_path, images(1, 3, 33, 46))
    assert loaded.publisher == "timm" and loaded.input.size == 331


def state_of(theirs: nn.Module, *renamed: tuple[str, str]) -> dict[str, torch.Tensor]:
    """Its tensors, by other names."""
    state = {}
    for key, value in theirs.state_dict().items():
        for new, old in renamed:
            key = re.sub(new, old, key)
        state[key] = value
    return state


def assert_equal(ours: nn.Module, again: nn.Module) -> None:
    assert all(torch.equal(a, b) for a, b in zip(ours.state_dict().values(), again.state_dict().values(), strict=True))


def test_names_of_torchvisions_densenets():
    """Its files, of the first release, have a point more."""
    theirs, make = randomise(tv_densenet()), partial(DenseNet, 7, dim=16, growth_rate=4, depths=(2, 3, 1))
    old = state_of(theirs, (r"(denselayer\d+\.(norm|conv))(\d)", r"\1.\3"))
    assert "features.denseblock2.denselayer3.conv.2.weight" in old
    ours, again = make(), make()
    load_into(ours, old)
    load_into(again, theirs.state_dict())
    assert_equal(ours, again)


def test_names_of_swins_authors():
    """As timm's reader of their files describes them."""
    theirs = randomise(tm_swin())
    down = (r"^layers\.1\.downsample", "layers.0.downsample")
    old = state_of(theirs, down, (r"^head\.fc", "head")) | {"layers.0.blocks.1.attn_mask": torch.zeros(4, 49, 49)}
    assert timm().models.swin_transformer.checkpoint_filter_fn(dict(old), theirs).keys() == theirs.state_dict().keys()
    ours, again = (Swin(7, dim=16, depths=(2, 1), head_dim=16) for _ in range(2))
    loaded = load_into(ours, old)
    assert loaded.publisher == "microsoft" and list(loaded.left_out) == ["layers.0.blocks.1.attn_mask"]
    load_into(again, theirs.state_dict())
    assert_equal(ours, again)


def test_mae_with_its_decoder_and_as_a_vit(tmp_path):
    """With the decoder, by both publishers' names; without it, as a ViT."""
    theirs, x = test_mae.Reference(False, norm_pix_loss=True), images(2, 3, 32, 32)
    randomise(theirs)
    ours = test_mae.Ours(test_mae.SMALL(), False)
    with torch.no_grad():
        expected = theirs.eval()(x)
    theirs.model.save_pretrained(tmp_path)
    loaded = load_into(ours.model, tmp_path)
    assert loaded.publisher == "transformers" and not loaded.left_out
    assert loaded.input == Input(size=32, crop=1.0, interpolation="bicubic")
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), expected, rtol=1e-5, atol=1e-6)

    again = test_mae.SMALL()
    assert load_into(again, by_its_authors(theirs.model.state_dict())).publisher == "facebookresearch"
    assert_equal(ours.model, again)

    vit = ViT(num_classes=7, **TINY_VIT)
    loaded = load_into(vit, tmp_path)
    assert loaded.publisher == "transformers (MAE)" and loaded.input.mean == Input().mean
    assert {why for key, why in loaded.left_out.items() if key.startswith("decoder")} == {"serves no class score"}
    assert torch.equal(vit.blocks[1].mixer.qkv.weight, ours.model.blocks[1].mixer.qkv.weight)


def by_its_authors(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """transformers' tensors by the names of the authors' file, queries, keys and values as one."""
    names = {"vit.embeddings.cls_token": "cls_token", "vit.embeddings.position_embeddings": "pos_embed"}
    names |= {"vit.embeddings.patch_embeddings.projection": "patch_embed.proj", "vit.layernorm": "norm"}
    names |= {"decoder.decoder_layers": "decoder_blocks", "decoder.": "", "vit.layers": "blocks"}
    names |= {"layernorm_before": "norm1", "layernorm_after": "norm2", "attention.o_proj": "attn.proj"}
    out = {}
    for key, value in state.items():
        for theirs, authors in names.items():
            key = key.replace(theirs, authors)
        out[key] = value
    for key in [key for key in out if "attention.q_proj" in key]:
        parts = [out.pop(key.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
        out[key.replace("attention.q_proj", "attn.qkv")] = torch.cat(parts)
    return out


def test_timms_mobilenetv3_has_another_epsilon(tmp_path):
    """The preset with torchvision's ε gives timm's outputs, by its variances."""
    theirs = randomise(timm().create_model("mobilenetv3_small_100", num_classes=7))
    ours = MobileNetV3(7, layout="small")
    loaded = assert_loads(ours, theirs, tmp_path, images(2, 3, 64, 75))
    assert list(loaded.adapted) == ["running_var"] and "0.001 here" in loaded.adapted["running_var"]


@pytest.mark.parametrize("family", ["vgg", "swin", "deit", "mixer", "mit", "densenet"])
def test_files_of_another_kind(family):
    """A tensor too few, one too many, one of another shape, and another family's: each is named."""
    make, reference, _ = next(case for name, case in CASES.items() if name.startswith(family))
    state = {key: x for key, x in reference().state_dict().items() if "num_batches" not in key}
    ours, key = make(), next(key for key in state if key.endswith("weight") and state[key].ndim > 1)
    with pytest.raises(InputError, match=f"there are no {re.escape(key)}"):
        load_into(ours, {k: x for k, x in state.items() if k != key})
    with pytest.raises(InputError, match=r"nothing here is another\.weight"):
        load_into(ours, state | {"another.weight": torch.ones(2)})
    with pytest.raises(InputError, match="here and"):
        load_into(ours, state | {key: torch.ones(3, 5, 2, 2)})
    with pytest.raises(InputError, match=r"names of no known publisher|there are no|here and"):
        load_into(ours, tv_alexnet().state_dict())
