"""The cache of keys and values: 2 · layers · key-value heads · width of a head · bytes of a number, a token."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.errors import InputError
from netwright.inspect import cache_of_config, inspect
from netwright.inspect.causal import is_triangular
from tests.references import torchvision, transformers

LENGTH = 12


def meta(make):
    with torch.device("meta"):
        return make()


def ids(batch: int = 2) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.zeros(batch, LENGTH, dtype=torch.long)}


def tril(x: torch.Tensor) -> torch.Tensor:
    return torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()


def compared(x: torch.Tensor) -> torch.Tensor:
    place = torch.arange(x.shape[1])
    return place[None, :] <= place[:, None]


def blocked(x: torch.Tensor) -> torch.Tensor:
    return ~torch.full((x.shape[1], x.shape[1]), 1.0).triu(1).bool()


def window(x: torch.Tensor) -> torch.Tensor:
    place = torch.arange(x.shape[1])
    return (place[None, :] - place[:, None]).abs() <= 2


MASKS = {"tril": tril, "compared": compared, "triu": blocked}


class Attention(nn.Module):
    """Heads that share keys and values, repeated or not, masked in one of the usual ways."""

    def __init__(self, heads: int, kv_heads: int, width: int, repeat: str, mask: str, fused: bool):
        super().__init__()
        self.heads, self.kv_heads, self.width = heads, kv_heads, width
        self.repeat, self.mask, self.fused = repeat, mask, fused
        self.q = nn.Linear(16, heads * width)
        self.kv = nn.Linear(16, 2 * kv_heads * width, bias=False)
        self.out = nn.Linear(heads * width, 16)
        self.register_buffer("triangle", torch.ones(64, 64).tril().bool(), persistent=False)

    def forward(self, x):
        batch, length, _ = x.shape
        q = self.q(x).view(batch, length, self.heads, self.width).transpose(1, 2)
        k, v = (part.unflatten(-1, (self.kv_heads, self.width)).transpose(1, 2) for part in self.kv(x).chunk(2, -1))
        k = k * torch.cos(torch.arange(length))[:, None]  # stands for rotary positions
        k, v = (self.repeated(part) for part in (k, v))
        mask = self.triangle[:length, :length] if self.mask == "buffer" else None
        if self.mask in MASKS:
            mask = MASKS[self.mask](x)
        if self.fused:
            options = {"is_causal": True} if self.mask == "flag" else {"attn_mask": mask}
            found = F.scaled_dot_product_attention(q, k, v, **options, enable_gqa=self.repeat == "kernel")
        else:
            scores = torch.einsum("bhle,bhse->bhls", q, k) / self.width**0.5
            found = scores.masked_fill(~mask, float("-inf")).softmax(-1) @ v
        return self.out(found.transpose(1, 2).flatten(2))

    def repeated(self, x):
        groups = self.heads // self.kv_heads
        if self.repeat == "interleave":
            return x.repeat_interleave(groups, dim=1)
        if self.repeat == "expand":
            return x[:, :, None].expand(-1, -1, groups, -1, -1).flatten(1, 2)
        return x


@settings(max_examples=25, deadline=None)
@given(
    kv_heads=st.integers(1, 3),
    groups=st.integers(1, 3),
    width=st.integers(2, 6),
    layers=st.integers(1, 3),
    repeat=st.sampled_from(["interleave", "expand", "kernel"]),
    mask=st.sampled_from(["flag", "buffer", *MASKS]),
    fused=st.booleans(),
    train=st.booleans(),
)
def test_any_causal_attention(kv_heads, groups, width, layers, repeat, mask, fused, train):
    fused |= mask == "flag" or (repeat == "kernel" and groups > 1)
    parts = [Attention(kv_heads * groups, kv_heads, width, repeat, mask, fused) for _ in range(layers)]
    blueprint = inspect(nn.Sequential(*parts), torch.zeros(3, LENGTH, 16), train=train)
    assert blueprint.kv_cache_bytes_per_token == layers * 2 * kv_heads * width * 4
    assert [layer.name for layer in blueprint.kv_cache.layers] == [str(index) for index in range(layers)]


@pytest.mark.parametrize("dtype, size", [(torch.float32, 4), (torch.bfloat16, 2)])
@pytest.mark.parametrize("train", [False, True])
def test_llama_and_gpt2(dtype, size, train):
    library = transformers()
    llama = library.LlamaConfig(
        hidden_size=64, intermediate_size=64, num_attention_heads=8, num_key_value_heads=2, num_hidden_layers=3,
        vocab_size=99,
    )  # fmt: skip
    found = inspect(meta(lambda: library.LlamaForCausalLM(llama)), ids(), train=train, dtype=dtype)
    assert found.kv_cache_bytes_per_token == 2 * 3 * 2 * 8 * size
    assert found.kv_cache.bytes(1000, batch=4) == 4 * 1000 * 2 * 3 * 2 * 8 * size
    gpt2 = library.GPT2Config(n_embd=48, n_layer=2, n_head=4, vocab_size=99, bos_token_id=0, eos_token_id=0)
    masked = {**ids(), "attention_mask": torch.ones(2, LENGTH, dtype=torch.long)}
    for inputs in (ids(), masked):
        found = inspect(meta(lambda: library.GPT2LMHeadModel(gpt2)), inputs, train=train, dtype=dtype)
        assert found.kv_cache_bytes_per_token == 2 * 2 * 4 * 12 * size
        assert found.to_json()["kv_cache_bytes_per_token"] == found.kv_cache_bytes_per_token


def test_windows_of_the_configuration():
    library = transformers()
    config = library.MistralConfig(
        hidden_size=64, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2,
        vocab_size=99, sliding_window=100,
    )  # fmt: skip
    cache = inspect(meta(lambda: library.MistralForCausalLM(config)), ids()).kv_cache
    token = 2 * 2 * 2 * 16 * 4
    assert (cache.bytes(50), cache.bytes(100), cache.bytes(5000, 3)) == (50 * token, 100 * token, 3 * 100 * token)
    with pytest.raises(InputError, match="a context of -1"):
        cache.bytes(-1)


def test_latent_attention():
    """What DeepSeek-V2's paper caches a layer: 512 numbers of the latent and 64 of the rotary key."""
    library = transformers()
    config = library.DeepseekV3Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, vocab_size=99,
        first_k_dense_replace=2, intermediate_size=64, q_lora_rank=32, pad_token_id=0,
    )  # fmt: skip
    found = inspect(meta(lambda: library.DeepseekV3ForCausalLM(config)), ids())
    assert found.kv_cache_bytes_per_token == 2 * (512 + 64) * 4
    assert "latent" in found.kv_cache.how


@pytest.mark.parametrize("kind", ["Llama", "Mistral", "Qwen3", "Mixtral"])
def test_the_configuration_says_the_same(kind):
    library = transformers()
    config = getattr(library, f"{kind}Config")(
        hidden_size=64, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2,
        vocab_size=99, architectures=[f"{kind}ForCausalLM"],
    )  # fmt: skip
    seen = inspect(meta(lambda: getattr(library, f"{kind}ForCausalLM")(config)), ids()).kv_cache
    said = cache_of_config(config, bytes_per_number=4)
    assert said.bytes_per_token == seen.bytes_per_token
    assert said.bytes(100_000) == seen.bytes(100_000)


def test_a_70b_llama_by_its_configuration():
    config = transformers().LlamaConfig(
        hidden_size=8192, num_hidden_layers=80, num_attention_heads=64, num_key_value_heads=8, is_decoder=True
    )
    assert cache_of_config(config).bytes_per_token == 2 * 80 * 8 * 128 * 2 == 327_680


def test_only_the_decoders_own_attention():
    """Of an encoder and a decoder: not the encoder's, nor what looks across."""
    library = transformers()
    config = library.T5Config(num_layers=2, num_decoder_layers=3, d_model=32, d_kv=8, num_heads=4, d_ff=32)
    model = meta(lambda: library.T5ForConditionalGeneration(config))
    found = inspect(model, {**ids(), "decoder_input_ids": ids()["input_ids"]})
    assert found.kv_cache_bytes_per_token == 3 * 2 * 4 * 8 * 4
    assert cache_of_config(config, 4).bytes_per_token == found.kv_cache_bytes_per_token


def test_masks_that_are_given():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    x, mask = torch.zeros(2, LENGTH, 32), nn.Transformer.generate_square_subsequent_mask(LENGTH)
    assert inspect(encoder, x).kv_cache is None
    assert inspect(encoder, {"src": x, "mask": mask}).kv_cache_bytes_per_token == 2 * 2 * 32 * 4


def test_no_cache_where_all_is_seen():
    library = transformers()
    bert = library.BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    masked = {**ids(), "attention_mask": torch.ones(2, LENGTH, dtype=torch.long)}
    for inputs in (ids(), masked):
        assert inspect(meta(lambda: library.BertModel(bert)), inputs).kv_cache_bytes_per_token is None
    vit = torchvision().models.VisionTransformer(32, 8, 1, 2, 16, 16)
    assert inspect(vit, torch.zeros(1, 3, 32, 32)).kv_cache is None
    with pytest.raises(InputError, match="no decoder"):
        cache_of_config(bert)
    with pytest.raises(InputError, match="no layers"):
        cache_of_config(library.ResNetConfig())


class Heads(nn.Module):
    """Projections with a weight a head, by products of batches of matrices."""

    def __init__(self, heads: int, width: int):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.zeros(heads, 16, width)) for _ in range(3)])
        self.shared = nn.Parameter(torch.zeros(16, 16))

    def forward(self, x):
        x = torch.bmm(x, self.shared.expand(len(x), -1, -1))
        q, k, v = (torch.einsum("bld,hde->bhle", x, weight) for weight in self.weights)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


class Stored(nn.Module):
    """Keys written in two pieces, half of them alike for all heads."""

    def __init__(self):
        super().__init__()
        self.q, self.own, self.shared, self.v = (nn.Linear(16, width) for width in (32, 16, 4, 32))

    def forward(self, x):
        batch, length, _ = x.shape
        q, own, v = (part(x).view(batch, length, 4, -1).transpose(1, 2) for part in (self.q, self.own, self.v))
        k = torch.empty_like(q)
        k[..., :4] = own
        k[..., 4:] = self.shared(x)[:, None]
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def test_heads_with_weights_of_their_own():
    assert inspect(Heads(5, 6), torch.zeros(3, LENGTH, 16)).kv_cache_bytes_per_token == 2 * 5 * 6 * 4


def test_keys_in_pieces():
    assert inspect(Stored(), torch.zeros(3, LENGTH, 16)).kv_cache_bytes_per_token == (4 * 4 + 4 + 4 * 8) * 4


def test_a_window_to_both_sides_is_not_causal(monkeypatch):
    monkeypatch.setitem(MASKS, "window", window)
    for fused in (True, False):
        layer = Attention(2, 2, 4, "none", "window", fused)
        assert inspect(layer, torch.zeros(1, LENGTH, 16)).kv_cache is None


def test_triangular():
    full = torch.zeros(5, 5)
    assert is_triangular(full.masked_fill(~tril(torch.zeros(1, 5)), float("-inf")))
    assert is_triangular(tril(torch.zeros(1, 200))[None, None])
    assert not is_triangular(full)
    assert not is_triangular(torch.eye(5))
    assert not is_triangular(torch.ones(4, 5).tril())
    assert not is_triangular(torch.ones(5, 5, device="meta").tril())
