"""MACs of whole networks are exactly what the architectures' arithmetic says, forward and backward.

Backward: each product twice the forward, once where no gradient of its input is asked for; fused attention computes
its scores again, so 5 products of the forward's 2.
"""

import pytest
import torch
from torch import nn

from netwright.inspect import inspect
from tests.references import diffusers, torch_geometric, torchvision, transformers


def meta(make):
    with torch.device("meta"):
        return make()


def ids(length: int) -> torch.Tensor:
    return torch.zeros(1, length, dtype=torch.long)


def macs(module: nn.Module, inputs=None, train: bool = False) -> tuple[int, int]:
    blueprint = inspect(module, inputs, train=train)
    assert not blueprint.not_counted
    return blueprint.macs, blueprint.backward_macs


# Vision


def test_resnet50():
    stem = 112**2 * 7**2 * 3 * 64
    total, wide, before = stem, 64, 56
    for blocks, width, side in ((3, 64, 56), (4, 128, 28), (6, 256, 14), (3, 512, 7)):
        total += before**2 * wide * width + side**2 * (9 * width**2 + 4 * width**2 + wide * 4 * width)
        total += (blocks - 1) * side**2 * (4 + 9 + 4) * width**2
        wide, before = 4 * width, side
    total += 2048 * 1000
    assert macs(meta(torchvision().models.resnet50), train=True) == (total, 2 * total - stem)


def test_vit_b_16():
    n, d = 197, 768
    patches, head = 196 * d * (3 * 16 * 16), d * 1000
    linear, attention = 12 * (4 + 8) * n * d * d, 12 * 2 * n * n * d
    total = patches + linear + attention + head
    backward = patches + 2 * (linear + head) + 5 * attention // 2
    assert macs(meta(torchvision().models.vit_b_16), train=True) == (total, backward)


def test_swin_t():
    stem = 56**2 * (4 * 4 * 3) * 96
    total, side, dim = stem, 56, 96
    for stage, depth in enumerate((2, 2, 6, 2)):
        if stage:
            side //= 2
            total += side**2 * (4 * dim) * (2 * dim)
            dim *= 2
        total += depth * side**2 * (12 * dim**2 + 2 * 49 * dim)
    total += 768 * 1000
    forward, backward = macs(meta(torchvision().models.swin_t), torch.zeros(1, 3, 224, 224), train=True)
    assert forward == total
    assert backward == 2 * total - stem  # attention of plain products


def test_convnext_t():
    stem = 56**2 * (4 * 4 * 3) * 96
    total, side, dim = stem, 56, 96
    for stage, depth in enumerate((3, 3, 9, 3)):
        if stage:
            side //= 2
            total += side**2 * (2 * 2 * dim) * (2 * dim)
            dim *= 2
        total += depth * side**2 * (49 * dim + 8 * dim**2)
    total += 768 * 1000
    assert macs(meta(torchvision().models.convnext_tiny), train=True) == (total, 2 * total - stem)


class UNet(nn.Module):
    """Two levels, transposed convolutions upwards."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.out, self.pool = nn.Conv2d(16, 2, 1), nn.MaxPool2d(2)

    def forward(self, x):
        high = self.down1(x)
        return self.out(torch.cat([high, self.up(self.down2(self.pool(high)))], 1))


def test_unet():
    first, second, up, out = 32**2 * 9 * 3 * 8, 16**2 * 9 * 8 * 16, 16**2 * 16 * 8 * 4, 32**2 * 16 * 2
    total = first + second + up + out
    assert macs(UNet(), torch.zeros(1, 3, 32, 32), train=True) == (total, 2 * total - first)


@pytest.mark.parametrize("groups", [1, 2, 8, 64])
@pytest.mark.parametrize("cls", [nn.Conv2d, nn.ConvTranspose2d])
def test_grouped_convolutions(cls, groups):
    """Torch's own counter has 1.5, 4.5 and 32.5 times too much in the backward at 2, 8 and 64 groups."""
    layers = nn.Sequential(nn.Conv2d(3, 64, 1), cls(64, 64, 3, padding=1, groups=groups))
    first, second = 10**2 * 3 * 64, 10**2 * 9 * 64 * 64 // groups
    assert macs(layers, torch.zeros(1, 3, 10, 10), train=True) == (first + second, first + 2 * second)


@pytest.mark.parametrize("train", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_mask_rcnn_by_a_real_run(monkeypatch, train):
    """What is suppressed and pooled depends on values: the convolutions and products that ran, by their own shapes.
    Backward: the gradient of each weight, and of each input that asks for one."""
    vision = torchvision()

    def nms(boxes, scores, threshold):
        order, kept = scores.argsort(descending=True), []
        while len(order):
            kept.append(order[0])
            overlap = vision.ops.box_iou(boxes[order[:1]], boxes[order])[0]
            order = order[overlap <= threshold]
        return torch.stack(kept) if kept else order

    monkeypatch.setattr("torchvision.ops.boxes.nms", nms)
    torch.manual_seed(0)
    model = vision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, min_size=96, max_size=96, rpn_post_nms_top_n_test=20
    )
    seen = back = 0

    def add(module, args, out):
        nonlocal seen, back
        spread = isinstance(module, nn.ConvTranspose2d)
        here = (args[0] if spread else out).numel() * module.weight[0].numel()
        seen, back = seen + here, back + here * (module.weight.requires_grad + args[0].requires_grad)

    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    handles = [layer.register_forward_hook(add) for layer in layers]
    model.train(train)
    given = ([torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0))],)
    if train:
        boxes = torch.tensor([[8.0, 8, 60, 60], [20, 30, 90, 90]])
        given += (
            [{"boxes": boxes, "labels": torch.tensor([1, 2]), "masks": torch.ones(2, 96, 96, dtype=torch.uint8)}],
        )
    with torch.compiler.set_stance("force_eager"):
        with torch.random.fork_rng():  # which proposals are trained on is drawn
            model(*given)
        for handle in handles:
            handle.remove()
        blueprint = inspect(model, given, train=train)
    assert blueprint.how == "captured by a real run on the CPU"
    assert blueprint.macs == seen
    assert blueprint.backward_macs == pytest.approx(back if train else 0, rel=0.02)


# Sequences


def test_lstm_and_gru():
    b, t, i, h = 2, 20, 32, 48
    total = b * t * 4 * h * ((i + h) + 2 * (h + h))
    assert macs(nn.LSTM(i, h, 3, batch_first=True), torch.zeros(b, t, i), train=True) == (total, 2 * total)
    total = b * t * 3 * h * ((i + h) + 2 * (h + h))
    unasked = b * t * 3 * h * i + 3 * b * 3 * h * h  # gradients of the input, and of each layer's first state
    assert macs(nn.GRU(i, h, 3, batch_first=True), torch.zeros(b, t, i), train=True) == (total, 2 * total - unasked)


@pytest.mark.parametrize("train", [False, True])
def test_transformer_encoder(train):
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4, 256, batch_first=True), 3)
    n, d = 50, 64
    attention = 3 * 2 * 2 * n * n * d
    total = 3 * 2 * n * (4 + 8) * d * d + attention
    forward, backward = macs(encoder, torch.zeros(2, n, d), train=train)
    assert forward == total
    if train:
        assert backward == 2 * total - 2 * n * 3 * d * d  # no gradient of the input; with dropout no fused attention


def llama(hidden, inner, layers, heads, groups, vocab):
    config = transformers().LlamaConfig(
        hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=groups, vocab_size=vocab,
    )  # fmt: skip
    return meta(lambda: transformers().LlamaForCausalLM(config))


def llama_macs(t, d, inner, layers, heads, groups, vocab):
    """The matrix products with weights, and those of attention."""
    linear = layers * t * (2 * d * d + 2 * d * d * groups // heads + 3 * d * inner) + t * d * vocab
    return linear, layers * 2 * t * t * d


@pytest.mark.parametrize(
    "sizes", [(2048, 8192, 16, 32, 8, 128_256), (8192, 28_672, 80, 64, 8, 128_256)], ids=["1B", "70B"]
)
def test_llama_with_grouped_queries(sizes):
    linear, attention = llama_macs(256, *sizes)
    forward, backward = macs(llama(*sizes), {"input_ids": ids(256)}, train=True)
    assert forward == linear + attention
    assert backward == 2 * linear + 5 * attention // 2


def test_t5_small():
    t, d, inner, vocab = 64, 512, 2048, 32_128
    attention = 4 * t * d * d + 2 * t * t * d
    total = 6 * (attention + 2 * t * d * inner) + 6 * (2 * attention + 2 * t * d * inner) + t * d * vocab
    model = meta(lambda: transformers().T5ForConditionalGeneration(transformers().T5Config()))
    inputs = {"input_ids": ids(t), "decoder_input_ids": ids(t)}
    forward, backward = macs(model, inputs, train=True)
    assert forward == total
    assert backward == pytest.approx(2 * total, rel=0.02)
    assert inspect(model, inputs).params == 60_506_624  # tied embeddings once


def test_mixture_of_experts():
    t, d, inner, layers, experts, chosen, vocab = 24, 64, 96, 2, 4, 2, 100
    config = transformers().MixtralConfig(
        hidden_size=d, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=vocab, num_local_experts=experts, num_experts_per_tok=chosen,
    )  # fmt: skip
    model = meta(lambda: transformers().MixtralForCausalLM(config))
    attention = layers * 2 * t * t * d
    linear = layers * t * (3 * d * d + d * experts + chosen * 3 * d * inner) + t * d * vocab
    forward, backward = macs(model, {"input_ids": ids(t)}, train=True)
    assert forward == linear + attention
    assert backward == pytest.approx(2 * linear + 2.5 * attention, rel=0.02)


# Graphs and diffusion


def test_graph_networks():
    """The products with weights; messages are weighed and summed element by element, which counts zero."""
    geometric = torch_geometric().nn
    x, edges = torch.randn(20, 16), torch.randint(0, 20, (2, 60), generator=torch.Generator().manual_seed(0))
    gcn = geometric.GCN(16, 32, 2, 7)
    assert macs(gcn, (x, edges), train=True)[0] == 20 * (16 * 32 + 32 * 7)
    gat = geometric.GAT(16, 32, 2, 7, heads=4)
    forward, backward = macs(gat, (x, edges), train=True)
    assert forward == 20 * (16 * 32 + 32 * 4 * 7)
    assert backward == 20 * (16 * 32 + 2 * 32 * 4 * 7)


def test_diffusion_unet():
    library = diffusers()
    model = meta(
        lambda: library.UNet2DConditionModel(
            sample_size=16, block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=40,
            attention_head_dim=8, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        )
    )  # fmt: skip
    words, seen, back = 7, 0, 0

    def add(module, args, kwargs, out):
        nonlocal seen, back
        if isinstance(module, nn.Conv2d | nn.Linear):
            seen += out.numel() * module.weight[0].numel()
            back += out.numel() * module.weight[0].numel() * (1 + args[0].requires_grad)
        else:  # attention of every position to every position, or to every word
            others = kwargs.get("encoder_hidden_states")
            square = args[0].shape[1] * (args[0] if others is None else others).shape[1] * module.inner_dim
            seen, back = seen + 2 * square, back + 5 * square

    kinds = (nn.Conv2d, nn.Linear, library.models.attention_processor.Attention)
    parts = [part for part in model.modules() if isinstance(part, kinds)]
    handles = [part.register_forward_hook(add, with_kwargs=True) for part in parts]
    with torch.device("meta"):
        inputs = {
            "sample": torch.zeros(1, 4, 16, 16),
            "timestep": torch.zeros(1, dtype=torch.long),
            "encoder_hidden_states": torch.zeros(1, words, 40),
        }
    model(**inputs)
    for handle in handles:
        handle.remove()
    forward, backward = macs(model, inputs, train=True)
    assert forward == seen
    assert backward == pytest.approx(back, rel=0.02)
