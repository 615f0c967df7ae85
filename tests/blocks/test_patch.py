"""From images to grids of tokens."""

import pytest
import torch

from netwright.blocks.patch import ConvTokenizer, PatchEmbed
from tests.parity import randomise


def test_patches_by_hand():
    model = randomise(PatchEmbed(2, 5, patch_size=3))
    x = torch.randn(2, 2, 6, 9)
    y = model(x)
    assert y.shape == (2, 5, 2, 3)
    patch = x[1, :, 3:6, 6:9].flatten()
    torch.testing.assert_close(y[1, :, 1, 2], model.proj.weight.flatten(1) @ patch + model.proj.bias)


@pytest.mark.parametrize("size", [(1, 1), (4, 6), (7, 3), (8, 11)])
def test_odd_sizes_are_padded(size):
    model = randomise(PatchEmbed(1, 2, patch_size=4))
    x = torch.randn(1, 1, *size)
    h, w = -(-size[0] // 4), -(-size[1] // 4)
    whole = torch.zeros(1, 1, 4 * h, 4 * w)
    whole[..., : size[0], : size[1]] = x
    assert model(x).shape == (1, 2, h, w)
    torch.testing.assert_close(model(x), model(whole))


@pytest.mark.parametrize(("kernel_size", "num_convs", "stride"), [(3, 1, 2), (3, 2, 4), (5, 1, 2), (7, 2, 16)])
def test_tokenizer_sizes(kernel_size, num_convs, stride):
    model = ConvTokenizer(3, 6, kernel_size, num_convs, hidden=4)
    assert model.stride == stride
    for height, width in [(32, 32), (28, 17), (1, 9)]:
        assert model(torch.zeros(1, 3, height, width)).shape == (
            1,
            6,
            -(-height // stride),
            -(-width // stride),
        )


def test_tokenizer_wants_odd_kernels():
    with pytest.raises(ValueError, match="odd"):
        ConvTokenizer(3, 6, kernel_size=4)
