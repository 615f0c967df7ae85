"""Inputs for transformers' models: their forward names them, their configuration sizes them.

ARGUMENTS is the table: what each argument looks like, as alternatives, the likeliest first. Shapes and types alone, on
the meta device; numbers where the forward reads them (how many patches a picture has).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor

# Sizes where the configuration leaves them open.
SIDE, CLIP, LENGTH, WAVE, FRAMES, GRID, REGIONS = 224, 16, 128, 16_000, 1024, 16, 36


def of_transformers(module: Any, batch: int) -> Iterator[dict[str, Tensor]]:
    """Its main inputs with all that have no default; with one of each modality; with everything that is known."""
    arguments = signature(module.forward).parameters
    facts = Facts(module.config, batch, frozenset(arguments))
    made = {name: found for name in arguments if (found := _alternatives(name, facts))}
    main = module.main_input_name
    needed = {name for name, one in arguments.items() if one.default is one.empty}
    needed |= set(main if isinstance(main, list | tuple) else [main])
    decoding = {"decoder_input_ids"} if getattr(module.config, "is_encoder_decoder", False) else set()
    seen: list[tuple] = []
    for names in (needed | decoding, needed, needed | decoding | MODALITIES, set(made)):
        chosen = {name: alternatives for name, alternatives in made.items() if name in names}
        for number in range(max((len(alternatives) for alternatives in chosen.values()), default=0)):
            inputs = {name: few[min(number, len(few) - 1)] for name, few in chosen.items()}
            look = tuple((name, one.shape) for name, one in inputs.items())
            if look not in seen:
                seen.append(look)
                yield inputs


def _alternatives(name: str, facts: "Facts") -> list[Tensor]:
    """None where the argument is not in the table, or the configuration says something else under these names."""
    try:
        return ARGUMENTS[name](facts) if name in ARGUMENTS else []
    except (TypeError, ValueError, RuntimeError):
        return []


@dataclass(frozen=True)
class Facts:
    """What a configuration says, its parts for one modality first."""

    config: Any
    batch: int
    arguments: frozenset[str]

    def said(self, kind: str, *names: str, default: Any = None) -> Any:
        """The first of these that is said: by the part for the modality, the whole, or any other part."""
        parts = [getattr(self.config, f"{kind}_config", None), self.config]
        parts += [part for part in vars(self.config).values() if hasattr(part, "to_dict")]
        for part in parts:
            for name in names:
                value = getattr(part, name, None)
                if value is not None:
                    return value
        return default

    def floats(self, *shape: int) -> Tensor:
        return torch.empty((self.batch, *shape), device="meta")

    def whole(self, *shape: int) -> Tensor:
        return torch.empty((self.batch, *shape), dtype=torch.long, device="meta")

    def ones(self, *shape: int) -> Tensor:
        return torch.ones((self.batch, *shape), dtype=torch.long, device="cpu")

    @property
    def length(self) -> int:
        most = self.said("text", "max_position_embeddings", "n_positions", default=LENGTH)
        return min(LENGTH, most) if most > 0 else LENGTH  # XLNet says −1: no limit

    @property
    def patch_numbers(self) -> int:
        """Of one patch, flattened: channels × frames × patch²."""
        patch = self.said("vision", "patch_size", default=14)
        patch = patch[-1] if isinstance(patch, list | tuple) else patch
        channels = self.said("vision", "in_channels", "in_chans", "num_channels", default=3)
        return channels * self.said("vision", "temporal_patch_size", default=1) * patch**2

    @property
    def past(self) -> int:
        """Steps of a time series: the context, and as many before as the longest lag."""
        lags = self.said("", "lags_sequence", default=[0])
        return self.said("", "context_length", "prediction_length", default=LENGTH) + max(lags)


def _ids(facts: Facts) -> list[Tensor]:
    return [facts.whole(facts.length), facts.whole(max(1, facts.length // 2))]


def _decoder_ids(facts: Facts) -> list[Tensor]:
    """A row for each codebook where the decoder writes sound."""
    return [ids.repeat(facts.said("decoder", "num_codebooks", default=1), 1) for ids in _ids(facts)]


def _image_places(facts: Facts) -> list[Tensor]:
    """The image comes first."""
    latents = facts.said("", "latent_query_num")
    return [(torch.arange(ids.shape[1], device="cpu") < latents).expand(ids.shape) for ids in _ids(facts)]


def _image(facts: Facts) -> Tensor:
    side = facts.said("vision", "image_size", default=SIDE)
    side = [side["height"], side["width"]] if isinstance(side, dict) else side
    sides = tuple(side) if isinstance(side, list | tuple) else (side, side)
    return facts.floats(facts.said("vision", "num_channels", default=3), *sides)


def _pixels(facts: Facts) -> list[Tensor]:
    """An image; a clip; flat patches where the forward takes their grid; a pair of images to be matched."""
    if facts.arguments & GRIDS:
        return [torch.empty((facts.batch * GRID * GRID, facts.patch_numbers), device="meta")]
    if "spatial_shapes" in facts.arguments:
        return [facts.floats(GRID * GRID, facts.patch_numbers)]
    image = _image(facts)
    pair = image.unsqueeze(1).expand(-1, 2, -1, -1, -1)
    return _clips(facts) if facts.said("vision", "num_frames") else [image, pair]


def _clips(facts: Facts) -> list[Tensor]:
    frames = facts.said("vision", "num_frames", "frames_per_clip", default=CLIP)
    return [_image(facts).unsqueeze(1).expand(-1, frames, -1, -1, -1)]


def _patch_grid(facts: Facts) -> list[Tensor]:
    """Frames, rows and columns of patches of each image."""
    return [torch.tensor([[1, GRID, GRID]] * facts.batch, device="cpu")]


def _spectrograms(facts: Facts) -> list[Tensor]:
    """Bins × steps as Whisper takes them, steps × bins as most, with a channel as CLAP does."""
    names = ("num_mel_bins", "input_feat_per_channel", "feature_projection_input_dim", "feature_size", "mel_bins")
    bins = facts.said("audio", *names, default=80)
    steps = facts.said("audio", "max_source_positions")
    rows = [facts.floats(FRAMES, bins), facts.floats(1, FRAMES, bins), facts.floats(bins, FRAMES)]
    return rows if steps is None else [facts.floats(bins, 2 * steps), facts.floats(bins, steps), *rows]


def _waves(facts: Facts) -> list[Tensor]:
    """Samples, of each channel where there are channels; or a spectrogram whose length the configuration says."""
    length, bins = facts.said("audio", "max_length"), facts.said("audio", "num_mel_bins")
    if isinstance(length, int) and bins:
        return [facts.floats(length, bins)]
    channels = facts.said("audio", "audio_channels")
    many, one = facts.floats(channels or 1, WAVE), facts.floats(WAVE)
    return [many, one] if channels else [one, many]


def _series(facts: Facts) -> list[Tensor]:
    channels = facts.said("", "num_input_channels", "input_size", default=1)
    one, many = facts.floats(facts.past), facts.floats(facts.past, channels)
    return [one, many] if channels == 1 else [many]


def _steps(*sizes: str) -> Callable[[Facts], list[Tensor]]:
    """Of a trajectory: (B, steps, size that the configuration says, or 1)."""
    return lambda facts: [facts.floats(20, *(facts.said("", size, default=1) for size in sizes))]


GRIDS = {"grid_thw", "image_grid_thw"}
MODALITIES = {"input_ids", "pixel_values", "input_features", "input_values", "bbox", "visual_feats", "visual_pos"}
MODALITIES |= {"image_grid_thw", "spatial_shapes", "pixel_attention_mask"}
_TEXTS = ("input_ids", "qformer_input_ids", "audio_input_ids", "protein_input_ids")

ARGUMENTS: dict[str, Callable[[Facts], list[Tensor]]] = {
    **dict.fromkeys(_TEXTS, _ids),
    "decoder_input_ids": _decoder_ids,
    "image_embeds_position_mask": _image_places,
    "bbox": lambda facts: [ids.unsqueeze(-1).expand(-1, -1, 4) for ids in _ids(facts)],
    "task_inputs": lambda facts: [facts.whole(facts.said("", "task_seq_len", default=LENGTH))],
    "inputs_embeds": lambda facts: [facts.floats(facts.length, facts.said("text", "hidden_size", default=1))],
    "query_embeds": lambda facts: [facts.floats(32, facts.said("", "hidden_size", default=1))],
    "pixel_values": _pixels,
    "hidden_states": _pixels,
    "pixel_values_videos": _clips,
    **dict.fromkeys(sorted(GRIDS), _patch_grid),
    "spatial_shapes": lambda facts: [torch.tensor([[GRID, GRID]] * facts.batch, device="cpu")],
    "pixel_attention_mask": lambda facts: [facts.ones(GRID * GRID)],
    "flattened_patches": lambda facts: [facts.floats(GRID * GRID, facts.said("vision", "patch_embed_hidden_size") + 2)],
    "visual_feats": lambda facts: [facts.floats(REGIONS, facts.said("", "visual_feat_dim", default=2048))],
    "visual_pos": lambda facts: [facts.floats(REGIONS, facts.said("", "visual_pos_dim", default=4))],
    "input_features": _spectrograms,
    "input_features_mask": lambda facts: [facts.ones(max(one.shape[1:])) for one in _spectrograms(facts)],
    "is_longer": lambda facts: [facts.ones(1).bool()],
    "input_values": _waves,
    "past_values": _series,
    "past_values_padding": lambda facts: [facts.whole(facts.past)],
    "past_observed_mask": lambda facts: [torch.ones_like(one) for one in _series(facts)],
    "past_time_features": lambda facts: [facts.floats(facts.past, facts.said("", "num_time_features", default=1))],
    "freq": lambda facts: [facts.whole(1)],
    "states": _steps("state_dim"),
    "actions": _steps("act_dim"),
    "rewards": _steps("reward_dim"),
    "returns_to_go": _steps("return_dim"),
    "timesteps": lambda facts: [facts.whole(20)],
}
