"""Blueprints' JSON of the networks that the picture is tried on: from the literature, and made by chance."""

import json
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from netwright.inspect import inspect
from tests.references import diffusers, torchvision, transformers

NETWORKS = (
    "resnet50", "swin_t", "unet", "gpt2", "maskrcnn", "densenet121", "googlenet", "t5", "mixtral", "diffusion"
)  # fmt: skip


@cache
def blueprint(name: str) -> dict[str, Any]:
    if name == "maskrcnn":
        return mask_rcnn()
    with torch.device("meta"):
        if name in MADE:
            return MADE[name]().to_json()
        arguments = {"init_weights": False} if name == "googlenet" else {}
        return inspect(getattr(torchvision().models, name)(**arguments), torch.zeros(1, 3, 224, 224)).to_json()


def ids(length: int) -> torch.Tensor:
    return torch.zeros(1, length, dtype=torch.long)


def gpt2():
    library = transformers()
    return inspect(library.GPT2LMHeadModel(library.GPT2Config()).eval(), ids(128))


def t5():
    library = transformers()
    words = {"input_ids": ids(64), "decoder_input_ids": ids(64)}
    return inspect(library.T5ForConditionalGeneration(library.T5Config()), words)


def mixtral():
    config = transformers().MixtralConfig(
        hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=1000, num_local_experts=4, num_experts_per_tok=2,
    )  # fmt: skip
    return inspect(transformers().MixtralForCausalLM(config), {"input_ids": ids(24)})


def diffusion():
    """Stable Diffusion's: 860 million parameters."""
    return inspect(
        diffusers().UNet2DConditionModel(sample_size=64, cross_attention_dim=768),
        {
            "sample": torch.zeros(1, 4, 64, 64),
            "timestep": torch.zeros(1, dtype=torch.long),
            "encoder_hidden_states": torch.zeros(1, 77, 768),
        },
    )


def mask_rcnn() -> dict[str, Any]:
    """By a real run, because what it does depends on values. This machine's torchvision may be without NMS."""
    boxes = __import__("torchvision.ops.boxes", fromlist=["nms"])
    suppress, boxes.nms = boxes.nms, lambda _, scores, threshold: scores.argsort(descending=True)[:20]
    try:
        torch.manual_seed(0)
        model = torchvision().models.detection.maskrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, min_size=96, max_size=96, rpn_post_nms_top_n_test=20
        )
        with torch.compiler.set_stance("force_eager"):
            return inspect(model.eval(), ([torch.rand(3, 96, 96)],)).to_json()
    finally:
        boxes.nms = suppress


class Up(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.up, self.conv = nn.ConvTranspose2d(2 * dim, dim, 2, stride=2), double(2 * dim, dim)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], dim=1))


class UNet(nn.Module):
    """Ronneberger et al. 2015 (arXiv:1505.04597), padded: 31 million parameters."""

    def __init__(self, widths=(64, 128, 256, 512, 1024)):
        super().__init__()
        for k, pair in enumerate(zip((3, *widths), widths, strict=False), 1):
            self.add_module(f"enc{k}", double(*pair))
        for k in reversed(range(1, len(widths))):
            self.add_module(f"up{k}", Up(widths[k - 1]))
        self.pool, self.head, self.depth = nn.MaxPool2d(2), nn.Conv2d(widths[0], 2, 1), len(widths)

    def forward(self, x):
        skips = []
        for k in range(1, self.depth):
            skips.append(self.get_submodule(f"enc{k}")(x))
            x = self.pool(skips[-1])
        x = self.get_submodule(f"enc{self.depth}")(x)
        for k in reversed(range(1, self.depth)):
            x = self.get_submodule(f"up{k}")(x, skips[k - 1])
        return self.head(x)


def double(before, dim):
    layers = []
    for width in (before, dim):
        layers += [nn.Conv2d(width, dim, 3, padding=1, bias=False), nn.BatchNorm2d(dim), nn.ReLU()]
    return nn.Sequential(*layers)


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.own, self.other = nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x, memory):
        return x + self.own(self.norm(x)) * self.other(memory)


class Decoder(nn.Module):
    """Layers of two inputs, the second the same for all."""

    def __init__(self, layers=4):
        super().__init__()
        self.embed, self.encoder = nn.Linear(8, 16), nn.Linear(8, 16)
        self.layers = nn.ModuleList(Cross() for _ in range(layers))
        self.head = nn.Linear(16, 3)

    def forward(self, x, y):
        x, memory = self.embed(x), self.encoder(y)
        for layer in self.layers:
            x = layer(x, memory)
        return self.head(x)


MADE = {
    "gpt2": gpt2,
    "t5": t5,
    "mixtral": mixtral,
    "diffusion": diffusion,
    "unet": lambda: inspect(UNet(), torch.zeros(1, 3, 256, 256)),
    "decoder": lambda: inspect(Decoder(), (torch.zeros(2, 5, 8), torch.zeros(2, 5, 8))),
}


def by_chance(seed: int) -> dict[str, Any]:
    """Nested groups whose leaves are joined at random; numbered, so that some fold."""
    chance = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    leaves: list[str] = []

    def add(parent, depth):
        index = len(rows)
        path = f"{rows[parent]['path']}.m{index}".lstrip(".") if parent is not None else ""
        group = parent is None or (depth < 4 and chance.random() < 0.35)
        cls = "Group" if group else str(chance.choice(["Linear", "add", "ReLU", "Conv2d", "LayerNorm"]))
        width = int(chance.choice([4, 4, 8]))
        row = {"id": path, "path": path, "cls": cls, "parent": parent, "kind": "module", "depth": depth}
        row |= {"leaf": not group, "own_params": 0, "inputs": [[1, 4]], "outputs": [[1, width]]}
        row |= {"params": 3 * width, "macs": int(chance.integers(0, 10**6)), "activation_bytes": 16}
        rows.append(row)
        for _ in range(chance.integers(1, 7) if group else 0):
            add(index, depth + 1)
        if not group:
            leaves.append(path)

    add(None, 0)
    edges = [("input:0", leaves[0]), ("input:1", leaves[-1]), (leaves[-1], "output")]
    for i, leaf in enumerate(leaves[1:], 1):
        reach = chance.choice([1, 2, 5, i], size=chance.integers(0, 4))
        edges += [(leaves[max(0, i - int(step))], leaf) for step in reach]
    joined = [{"source": a, "target": b, "shape": [1, 4]} for a, b in edges]
    whole = {"cls": "Random", "params": 3, "macs": 9, "activation_bytes": 16, "inputs": [[1, 4], [1, 4]]}
    return json.loads(json.dumps(whole | {"outputs": [[1, 4]], "rows": rows, "edges": joined}))
