"""MAE is ViTMAEForPreTraining of transformers, and leaves a ViT."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.mixer.attention import Attention
from netwright.families.pretraining.mae import MAE, PRESETS, fixed_noise
from netwright.families.vision.vit import ViT
from netwright.weights.maps import mae
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import Keys, assert_same, copy_by_map, count, randomise
from tests.references import transformers

SMALL = partial(
    MAE,
    image_size=32,
    dim=16,
    depth=2,
    patch_size=8,
    decoder_dim=8,
    decoder_depth=1,
    decoder_mixer=partial(Attention, num_heads=2),
)


class Reference(nn.Module):
    """ViTMAEForPreTraining in the size of SMALL, and what of it is compared: the loss, or the pixels."""

    def __init__(self, pixels: bool, **overrides):
        super().__init__()
        args = {"image_size": 32, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 64}
        args |= {"num_attention_heads": 1, "decoder_hidden_size": 8, "decoder_num_hidden_layers": 1}
        args |= {"decoder_num_attention_heads": 2, "decoder_intermediate_size": 32, "layer_norm_eps": 1e-6}
        self.model = transformers().ViTMAEForPreTraining(transformers().ViTMAEConfig(**(args | overrides)))
        self.pixels = pixels

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        noise = hide(x, self.model.config.patch_size) if noise is None else noise
        if self.pixels:
            return self.model(x, noise=noise).logits
        return torch.stack([self.model(x[i : i + 1], noise=noise[i : i + 1]).loss for i in range(len(x))])


class Ours(nn.Module):
    """Our network, its pixels or the loss of each image."""

    def __init__(self, model: MAE, pixels: bool):
        super().__init__()
        self.model, self.pixels = model, pixels

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        noise = hide(x, self.model.patch_size) if noise is None else noise
        return self.model.reconstruct(x, noise)[0] if self.pixels else self.model(x, noise)


def hide(x: Tensor, patch_size: int) -> Tensor:
    """The same patches of every image are hidden, in training too."""
    height, width = (-(-side // patch_size) for side in x.shape[-2:])
    return fixed_noise(height * width, x.device).expand(x.shape[0], -1)


def their_key(key: str) -> Keys:
    names = mae.transformers(key.removeprefix("model."))
    return f"model.{names}" if isinstance(names, str) else tuple(f"model.{name}" for name in names)


def pair(pixels: bool, norm_pixels: bool) -> tuple[nn.Module, nn.Module]:
    """Positions are fixed in both; here they are freed, so that their gradients are compared too."""
    ours, theirs = Ours(SMALL(norm_pixels=norm_pixels), pixels), Reference(pixels, norm_pix_loss=norm_pixels)
    return ours.requires_grad_(), randomise(theirs).requires_grad_()


def test_every_preset_has_the_published_count():
    check_counts(MAE, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_those_of_transformers(name):
    sizes = {"base": (768, 12, 12, 16), "large": (1024, 24, 16, 16), "huge14": (1280, 32, 16, 14)}
    dim, depth, heads, patch = sizes[name]
    config = transformers().ViTMAEConfig(
        hidden_size=dim, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=4 * dim, patch_size=patch
    )
    with torch.device("meta"):
        assert count(transformers().ViTMAEForPreTraining(config)) == PRESETS[name]["params"]


def orders(batch: int, patches: int, seed: int = 0) -> Tensor:
    """Noise in whole numbers, of which no gradient is expected."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(patches, generator=generator) for _ in range(batch)])


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("norm_pixels", [False, True], ids=["plain", "normalised"])
def test_same_loss_as_transformers(norm_pixels, train):
    ours, theirs = pair(False, norm_pixels)
    inputs = contract.images(3, 3, 32, 32), orders(3, 16)
    assert_same(ours, theirs, inputs, copy_by_map(ours, theirs, their_key), train=train)


def test_same_pixels_as_transformers():
    ours, theirs = pair(True, True)
    inputs = contract.images(3, 3, 32, 32), orders(3, 16)
    assert_same(ours, theirs, inputs, copy_by_map(ours, theirs, their_key))


def test_positions_begin_as_in_transformers_and_are_fixed():
    """Its networks start with zeros there; its function has rows before columns, unlike the authors' weights."""
    waves = transformers().models.vit_mae.modeling_vit_mae.build_2d_sinusoidal_position_embedding
    model = SMALL()
    for ours, dim in ((model.position, 16), (model.decoder.position, 8)):
        rows, columns = waves(4, 4, dim, cls_token=True).chunk(2, -1)
        torch.testing.assert_close(ours.weight, torch.cat([columns, rows], -1), rtol=1e-5, atol=1e-5)
        assert not ours.weight.requires_grad


def test_the_encoder_is_a_vit():
    """What the encoder gives for the patches that it is shown is what the ViT gives for them, loaded from it."""
    model = randomise(SMALL()).eval()
    vit = ViT(num_classes=7, image_size=32, dim=16, depth=2, patch_size=8).eval()
    encoder = {key: value for key, value in model.state_dict().items() if not key.startswith("decoder.")}
    missing, unexpected = vit.load_state_dict(encoder, strict=False)
    assert sorted(missing) == ["head.bias", "head.weight"] and not unexpected
    assert all(p.requires_grad for p in vit.parameters())  # fine-tuning moves the positions too

    seen: list[Tensor] = []
    model.norm.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    x, noise = contract.images(2, 3, 32, 32), orders(2, 16)
    model.reconstruct(x, noise)
    tokens, _ = vit.tokens(x)
    shown = noise.argsort(1)[:, :4]
    tokens = torch.cat([tokens[:, :1], torch.stack([tokens[i, 1 + shown[i]] for i in range(2)])], 1)
    for block in vit.blocks:
        tokens = block(tokens)
    torch.testing.assert_close(seen[0], vit.norm(tokens))


def test_hidden_patches_are_not_seen_and_alone_make_the_loss():
    model, x, noise = randomise(SMALL()).eval(), contract.images(2, 3, 32, 32), orders(2, 16)
    predicted, hidden = model.reconstruct(x, noise)
    assert torch.equal(hidden, (noise >= 4).float())
    other = torch.where(mosaic(hidden), torch.randn_like(x), x)
    again, _ = model.reconstruct(other, noise)
    torch.testing.assert_close(again, predicted)
    assert not torch.allclose(model(other, noise), model(x, noise))
    target = model.patches(x)
    for i in range(2):
        squares = [(predicted[i, n] - target[i, n]).square().mean() for n in range(16) if hidden[i, n]]
        torch.testing.assert_close(model(x, noise)[i], torch.stack(squares).mean())


def mosaic(hidden: Tensor) -> Tensor:
    """The pixels of the hidden patches, (B, 16) → (B, 1, 32, 32)."""
    return hidden.bool().view(-1, 1, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)


def test_pixels_are_normalised_in_each_patch():
    x = contract.images(2, 3, 32, 32) * 5 + 3
    plain, normalised = SMALL(norm_pixels=False).patches(x), SMALL().patches(x)
    assert torch.equal(plain[1, 6].view(8, 8, 3), x[1, :, 8:16, 16:24].permute(1, 2, 0))
    torch.testing.assert_close(normalised.mean(-1), torch.zeros(2, 16), rtol=0, atol=1e-5)
    torch.testing.assert_close(normalised.var(-1), torch.ones(2, 16), rtol=1e-4, atol=0)


def test_masks_are_random_in_training_and_fixed_in_evaluation():
    model, x = randomise(SMALL()), contract.images(3, 3, 32, 32)
    assert not torch.equal(model.train()(x), model(x))
    assert torch.equal(model.eval()(x), model(x))
    _, hidden = model.reconstruct(x)
    assert torch.equal(hidden[0], hidden[1]) and hidden.sum(1).tolist() == [12, 12, 12]
    for length in (1, 16, 196, 4096):
        noise = fixed_noise(length, torch.device("cpu"))
        assert len(noise.unique()) == length and noise.min() >= 0
    ranks = fixed_noise(196, torch.device("cpu")).argsort().argsort()[None].float()
    n = torch.arange(196.0)[None]
    assert torch.corrcoef(torch.cat([ranks, n]))[0, 1].abs() < 0.2


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("size", [(32, 32), (17, 40), (1, 3)])
def test_any_size_and_channels(size, channels):
    model = SMALL(in_channels=channels)
    y = model(contract.images(3, channels, *size))
    assert y.shape == (3,)
    y.sum().backward()
    for name, p in model.named_parameters():
        assert (p.grad is not None and p.grad.isfinite().all()) == p.requires_grad, name


def test_works_everywhere():
    contract.check_everywhere(no_classes, 20)
    contract.check_independent_of_batch(randomise(SMALL()), 20)


def no_classes(num_classes: int = 7, in_channels: int = 3) -> nn.Module:
    return SMALL(in_channels=in_channels)


def test_it_learns():
    """On one batch of smooth images, the masks drawn anew, hidden patches are told twice as well as by their mean."""
    torch.manual_seed(0)
    model = SMALL(dim=32, decoder_dim=32, norm_pixels=False)
    ramp = torch.linspace(-1, 1, 32)
    x = (torch.randn(16, 3, 1, 1) * ramp + torch.randn(16, 3, 1, 1) * ramp[:, None]).float()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-3)
    for _ in range(100):
        optimiser.zero_grad()
        model.train()(x).mean().backward()
        optimiser.step()
    assert model.eval()(x).mean() < 0.5 * x.var()
