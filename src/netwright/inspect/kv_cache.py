"""The cache of keys and values that a decoder keeps while it writes, token by token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from netwright.errors import InputError
from netwright.inspect.causal import Attention

COUNTED = "counted: keys and values of the causal attention that ran, before heads are repeated"
BY_CONFIG = "by the configuration"
WINDOWED = "; windows by the configuration"
LATENT = "by the configuration: the latent and the rotary key of multi-head latent attention (arXiv 2405.04434)"


@dataclass(frozen=True, slots=True)
class CacheLayer:
    """One call of causal self-attention."""

    name: str  # the module's path
    bytes_per_token: int
    window: int | None = None  # tokens that it looks back at most; None: all


@dataclass(frozen=True, slots=True)
class KvCache:
    """Of self-attention alone: a cross-attention's keys and values come once per source, and are not in it."""

    layers: tuple[CacheLayer, ...]
    how: str

    @property
    def bytes_per_token(self) -> int:
        """That each token adds to the cache until windows are full."""
        return sum(layer.bytes_per_token for layer in self.layers)

    def bytes(self, context: int, batch: int = 1) -> int:
        """Of `batch` sequences of `context` tokens each; a layer with a window keeps no more than that."""
        if context < 0 or batch < 1:
            raise InputError(f"a context of {context} in a batch of {batch} is none", fix="give whole numbers above 0")
        return batch * sum(
            layer.bytes_per_token * (context if layer.window is None else min(context, layer.window))
            for layer in self.layers
        )


def cache_seen(calls: Sequence[Attention], path: Callable[[int], str], config: Any = None) -> KvCache | None:
    """Of the attention that ran; None where none is causal, as in an encoder.

    config: the module's, where it is one of transformers: it knows windows, and latents that are cached in the place
    of keys and values.
    """
    causal = [call for call in calls if call.causal]
    if not causal:
        return None
    said = _of_text(config) if hasattr(config, "num_hidden_layers") else None
    if said is None or _depth(said) != len(causal):
        return KvCache(tuple(CacheLayer(path(call.row), call.cache_bytes) for call in causal), COUNTED)
    windows = _windows(said)
    latent = _latent(said)
    sizes = [call.cache_bytes if latent is None else latent * call.key.product.bytes for call in causal]
    layers = tuple(
        CacheLayer(path(call.row), size, window) for call, size, window in zip(causal, sizes, windows, strict=True)
    )
    how = COUNTED if latent is None else LATENT
    return KvCache(layers, how + (WINDOWED if any(windows) else ""))


def cache_of_config(config: Any, bytes_per_number: int = 2) -> KvCache:
    """Of a decoder by its transformers configuration alone, without building it: in bf16 unless said otherwise.

    2 · key-value heads · width of a head a layer and token; with multi-head latent attention the latent and the
    rotary key. InputError where the configuration has no attention layers, or is not a decoder's.
    """
    said = _of_text(config)
    heads = getattr(said, "num_attention_heads", None)
    if not isinstance(heads, int) or not isinstance(_depth(said), int):
        raise InputError("it says no layers and heads of attention", where=type(config).__name__)
    if not _is_decoder(config):
        raise InputError(
            "it is no decoder's", where=type(config).__name__, fix="a cache is kept where tokens look only backwards"
        )
    kv_heads = getattr(said, "num_key_value_heads", None) or heads
    width = getattr(said, "head_dim", None) or getattr(said, "d_kv", None) or said.hidden_size // heads
    numbers = _latent(said) or 2 * kv_heads * width
    layers = tuple(
        CacheLayer(f"layer {index}", numbers * bytes_per_number, window) for index, window in enumerate(_windows(said))
    )
    return KvCache(layers, LATENT if _latent(said) else BY_CONFIG)


def _of_text(config: Any) -> Any:
    """The decoder's own part, of models that see or hear too."""
    return config.get_text_config(decoder=True) if hasattr(config, "get_text_config") else config


def _is_decoder(config: Any) -> bool:
    named = getattr(config, "architectures", None) or []
    decodes = any(name.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) for name in named)
    return decodes or getattr(config, "is_decoder", False) or getattr(config, "is_encoder_decoder", False)


def _depth(config: Any) -> Any:
    """Layers of the decoder."""
    names = ("num_decoder_layers", "decoder_layers", "num_hidden_layers")
    return next((value for name in names if (value := getattr(config, name, None)) is not None), None)


def _windows(config: Any) -> list[int | None]:
    """Of each layer."""
    count, window = _depth(config), getattr(config, "sliding_window", None)
    if not window or getattr(config, "use_sliding_window", True) is False:
        return [None] * count
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * count
    return [window if kind == "sliding_attention" else None for kind in kinds]


def _latent(config: Any) -> int | None:
    rank = getattr(config, "kv_lora_rank", None)
    return rank + getattr(config, "qk_rope_head_dim", 0) if rank else None
