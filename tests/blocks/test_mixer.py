"""Token mixers beside attention: their equations, and that padding changes nothing."""

import pytest
import torch

from netwright.blocks import mixer
from netwright.blocks.mixer.linear_attention import LinearAttention
from netwright.blocks.mixer.token_conv import TokenConv
from netwright.blocks.mixer.token_pooling import TokenPooling
from netwright.blocks.transformer import TransformerBlock
from tests.parity import randomise
from tests.references import timm

X = torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(0))
MASK = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]


@pytest.mark.parametrize("name", mixer.__all__)
def test_padding_changes_nothing(name):
    model = randomise(getattr(mixer, name)(8)).eval()
    y = model(X, MASK)
    assert y.shape == X.shape and y.std() > 0
    for i, length in enumerate(MASK.sum(1).tolist()):
        torch.testing.assert_close(y[i, :length], model(X[i : i + 1, :length])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", mixer.__all__)
def test_half_precision(name):
    model = randomise(getattr(mixer, name)(8))
    expected = model(X)
    y = model.to(torch.bfloat16)(X.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("num_heads", [1, 4])
def test_linear_attention_is_attention_with_the_kernel_as_its_weight(num_heads):
    model = randomise(LinearAttention(8, num_heads))
    q, k, v = model.qkv(X).view(3, 7, 3, num_heads, -1).permute(2, 0, 3, 1, 4)
    weight = (torch.nn.functional.elu(q) + 1) @ (torch.nn.functional.elu(k) + 1).transpose(2, 3)  # (B, H, N, N)
    y = weight / weight.sum(-1, keepdim=True) @ v
    torch.testing.assert_close(model(X), model.proj(y.transpose(1, 2).reshape(3, 7, 8)), rtol=1e-4, atol=1e-5)


def test_linear_attention_does_not_know_the_order_of_tokens():
    model, order = randomise(LinearAttention(8)), torch.randperm(7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model(X[:, order]), model(X)[:, order], rtol=1e-4, atol=1e-5)


def test_linear_attention_over_padding_alone_is_finite():
    x = X.clone().requires_grad_()
    y = LinearAttention(8)(x, torch.zeros(3, 7, dtype=torch.bool))
    y.sum().backward()
    assert y.isfinite().all() and x.grad.isfinite().all()


def test_token_conv_by_hand():
    model = randomise(TokenConv(8, kernel_size=3))
    v = torch.nn.functional.pad(model.value(X), (0, 0, 1, 1))  # (B, N + 2, D)
    w = model.conv.weight[:, 0]  # (D, 3)
    y = sum(v[:, i : i + 7] * w[:, i] for i in range(3)) + model.conv.bias
    torch.testing.assert_close(model(X), model.proj(y), rtol=1e-4, atol=1e-5)


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="kernel_size must be odd, got 2"):
        TokenConv(8, kernel_size=2)
    with pytest.raises(ValueError, match="dim must be a multiple of num_heads"):
        LinearAttention(8, num_heads=3)


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_pooling_of_maps_is_timms(kernel_size):
    theirs, ours = timm().models.metaformer.Pooling(kernel_size), TokenPooling(8, kernel_size)
    x = torch.randn(2, 7, 4, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y, expected = ours(x), theirs(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    weight = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(y, expected)
    (mine,), (theirs,) = (torch.autograd.grad((out * weight).sum(), x) for out in (y, expected))
    assert y.std() > 0
    torch.testing.assert_close(mine, theirs)
    assert TransformerBlock(8, mixer=TokenPooling)(x).shape == x.shape


def test_pooling_of_a_sequence_by_hand():
    y = TokenPooling(8)(X)
    expected = [X[:, max(0, i - 1) : i + 2].mean(1) for i in range(7)]
    torch.testing.assert_close(y, torch.stack(expected, 1) - X)
    assert not TokenPooling(8)(torch.ones(1, 7, 8)).any()  # nothing differs from its neighbours
    with pytest.raises(ValueError, match="kernel_size must be odd, got 2"):
        TokenPooling(8, kernel_size=2)
