"""How far attention reaches: what its masks let through, found by gradients, and what the calls alone say."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.errors import InputError
from netwright.inspect import attention_reach
from tests.references import transformers

LENGTH = 12


class Attention(nn.Module):
    """Two layers' worth of one: projections, then softmax(q kᵀ) v under a mask of the positions' differences."""

    def __init__(self, allowed=None, causal: bool = False, dim: int = 8):
        super().__init__()
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.allowed, self.causal = allowed, causal

    def forward(self, x):
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, -1)
        mask = None
        if self.allowed is not None:
            n = torch.arange(x.shape[1])
            mask = self.allowed(n[:, None] - n[None, :])
        return self.proj(F.scaled_dot_product_attention(q, k, v, mask, is_causal=self.causal)[:, 0])


def network(*layers: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(*layers)


def reach(net: nn.Module, real: bool = True, length: int = LENGTH):
    return attention_reach(net, torch.randn(2, length, 8), real)


MASKS = {
    "full": (Attention(), (11, 11, False, None)),
    "causal by its flag": (Attention(causal=True), (11, 0, True, None)),
    "causal by a mask": (Attention(lambda d: d >= 0), (11, 0, True, None)),
    "a causal window": (Attention(lambda d: (d >= 0) & (d < 4)), (3, 0, True, 4)),
    "a window": (Attention(lambda d: d.abs() <= 2), (2, 2, False, 5)),
    "ahead": (Attention(lambda d: d <= 0), (0, 11, False, None)),
    "itself only": (Attention(lambda d: d == 0), (0, 0, True, 1)),
}


@pytest.mark.parametrize("case", MASKS)
def test_reach_is_the_masks(case):
    net, expected = MASKS[case]
    (found,) = reach(network(net))
    assert (found.before, found.after, found.causal, found.window) == expected
    assert (found.cls, found.layers, found.first, found.last, found.length) == ("Attention", 1, "0", "0", LENGTH)
    assert "by gradient" in found.how


def test_layers_of_one_reach_are_one_row():
    local = lambda d: (d >= 0) & (d < 4)  # noqa: E731
    found = reach(network(Attention(local), Attention(causal=True), Attention(local), nn.Linear(8, 8)))
    assert [(row.layers, row.first, row.last, row.words) for row in found] == [
        (2, "0", "2", "causal window of 4"),
        (1, "1", "1", "causal, all before"),
    ]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_torch_transformers(batch_first, causal):
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=batch_first)

        def forward(self, x):
            x = x if batch_first else x.transpose(0, 1)
            mask = nn.Transformer.generate_square_subsequent_mask(LENGTH) if causal else None
            return self.layer(x, src_mask=mask)

    (found,) = reach(network(Encoder()))
    assert (found.cls, found.after) == ("MultiheadAttention", 0 if causal else 11)


def test_pooling_is_no_reach():
    class Pool(nn.Module):
        def forward(self, x):
            return torch.bmm(x.mean(2)[:, None].softmax(-1), x)[:, 0]

    assert reach(network(nn.Linear(8, 8), Pool())) == []
    assert reach(network(nn.Linear(8, 8))) == []


def test_a_projection_of_zeros_lets_no_gradient_through():
    net = network(Attention(causal=True))
    nn.init.zeros_(net[0].proj.weight)
    (found,) = reach(net)
    assert (found.causal, found.before, found.after) == (True, 11, 0)
    assert "as the attention was called" in found.how


def test_behind_a_stem_its_own_tokens_count():
    class Stem(nn.Module):
        def forward(self, x):
            return x[:, ::2]

    (found,) = reach(network(Stem(), Attention(lambda d: (d >= 0) & (d < 3))))
    assert (found.length, found.window, found.causal) == (LENGTH // 2, 3, True)


def test_an_empty_container_is_passed_through():
    (found,) = reach(network(nn.Sequential(), Attention()))
    assert found.words == "full"


def test_on_fakes_it_is_what_the_calls_say():
    rows = reach(network(Attention(), Attention(causal=True), Attention(lambda d: d >= 0)), real=False)
    assert [(row.causal, row.before, row.after) for row in rows] == [
        (False, 11, 11), (True, 11, 0), (None, None, None),
    ]  # fmt: skip
    assert [row.words for row in rows] == ["full", "causal, all before", "full, unless masked"]
    assert all("not looked at" in row.how for row in rows)


def test_sliding_and_full_layers_of_gemma():
    library = transformers()
    config = library.Gemma3TextConfig(
        num_hidden_layers=6, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=32, sliding_window=5, vocab_size=20,
    )  # fmt: skip
    found = attention_reach(library.Gemma3TextModel(config), {"input_ids": torch.full((1, 16), 5)})
    assert [(row.layers, row.words) for row in found] == [(5, "causal window of 5"), (1, "causal, all before")]


def test_the_module_is_left_as_it_was():
    net = network(Attention(), nn.Dropout()).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = torch.randn(2, LENGTH, 8)
    attention_reach(net, x)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training and not x.requires_grad
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())


def test_bad_inputs():
    with pytest.raises(InputError, match="needs a sequence"):
        attention_reach(nn.Linear(4, 4), torch.zeros(4))
    with pytest.raises(InputError, match="the forward failed"):
        attention_reach(network(Attention()), torch.zeros(1, 4, 5))
