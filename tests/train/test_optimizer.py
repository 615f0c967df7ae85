"""Groups of the optimizer: who decays, and how fast each layer learns."""

from functools import partial

import torch
from torch import nn

from netwright.families.segmentation.unet import UNet
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from netwright.train.optimizer import adamw, layers_of, parameter_groups


def names_of(module: nn.Module, parameters: list[nn.Parameter]) -> set[str]:
    names = {id(p): name for name, p in module.named_parameters()}
    return {names[id(p)] for p in parameters}


def test_matrices_decay_and_vectors_and_embeddings_do_not():
    module = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.LayerNorm(4))
    decayed, free = parameter_groups(module, 0.1)
    assert names_of(module, decayed["params"]) == {"1.weight"} and decayed["weight_decay"] == 0.1
    assert names_of(module, free["params"]) == {"0.weight", "1.bias", "2.weight", "2.bias"}
    assert decayed["scale"] == free["scale"] == 1.0


def test_layers_follow_the_network():
    resnet = ResNet(depths=(1, 2), dim=8)
    found = [sorted({n.split(".")[0] for n in names_of(resnet, layer)}) for layer in layers_of(resnet)]
    assert found == [["stem"], ["stages"], ["stages"], ["stages"], ["head"]]
    vit = ViT(dim=16, depth=3, image_size=32)
    assert len(layers_of(vit)) == 1 + 1 + 1 + 3 + 1 + 1  # token, patches, positions, blocks, norm, head
    for module in (resnet, vit):
        together = [p for layer in layers_of(module) for p in layer]
        assert len(together) == len({id(p) for p in together}) == len(list(module.parameters()))


def test_what_is_not_the_backbones_is_one_last_layer():
    unet = UNet(backbone=partial(ResNet, depths=(1, 1), dim=8), dim=4)
    found = [sorted({".".join(n.split(".")[:2]) for n in names_of(unet, layer)}) for layer in layers_of(unet)]
    assert found[:3] == [["backbone.stem"], ["backbone.stages"], ["backbone.stages"]] and len(found) == 4
    assert all(not name.startswith("backbone") for name in found[3]) and "head.weight" in found[3]
    fresh = {id(p) for module in (unet.decoder, unet.head) for p in module.parameters()}
    for group in parameter_groups(unet, 0.1, first_layer_lr=0.1):
        assert group["scale"] == 1.0 if id(group["params"][0]) in fresh else group["scale"] < 1.0


def test_rates_rise_geometrically_to_the_last_layer():
    module = ResNet(depths=(1, 2), dim=8)
    groups = parameter_groups(module, 0.1, first_layer_lr=0.01)
    scales = sorted({round(group["scale"], 9) for group in groups})
    torch.testing.assert_close(torch.tensor(scales), torch.logspace(-2, 0, 5))
    assert all(group["scale"] == 1.0 for group in groups if "head.weight" in names_of(module, group["params"]))
    assert adamw(module, 1e-3, 0.1, (0.9, 0.99), 0.01).param_groups[0]["scale"] == 0.01
