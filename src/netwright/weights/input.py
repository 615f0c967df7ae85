"""The images that published weights were trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from netwright.errors import InputError

HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Input:
    """How an image becomes the network's input; the default is torchvision's for ImageNet.

    The shorter side is resized to `size` / `crop`, a square of `size` pixels is cut out of the middle, and
    values from 0 to 1 become (x − mean) / std for each channel, red first.
    """

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    size: int = 224
    crop: float = 0.875
    interpolation: str = "bilinear"

    def for_channels(self, in_channels: int) -> "Input":
        """The same with another number of channels, each with the mean of the three."""
        if in_channels == len(self.mean):
            return self
        mean, std = (sum(values) / len(values) for values in (self.mean, self.std))
        return Input((mean,) * in_channels, (std,) * in_channels, self.size, self.crop, self.interpolation)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Input":
        """Out of timm's `config.json` or transformers' `preprocessor_config.json`."""
        if "pretrained_cfg" in config:
            found = config["pretrained_cfg"]
            return cls(
                tuple(found["mean"]),
                tuple(found["std"]),
                int(found["input_size"][-1]),
                float(found.get("crop_pct", 0.875)),
                str(found.get("interpolation", "bilinear")),
            )
        if "image_mean" in config:
            size = config.get("crop_size") or config.get("size") or 224
            if isinstance(size, Mapping):
                size = size["height"] if "height" in size else size["shortest_edge"]
            # Pillow's numbers of its filters
            name = {0: "nearest", 2: "bilinear", 3: "bicubic"}.get(config.get("resample", 2), "bilinear")
            crop = config.get("crop_pct") or (0.875 if config.get("do_center_crop") else 1.0)
            return cls(tuple(config["image_mean"]), tuple(config["image_std"]), int(size), float(crop), name)
        raise InputError("the configuration names no mean and deviation of the images")


@cache
def class_names() -> tuple[str, ...]:
    """The thousand classes of ImageNet-1k, in the order of the published classifiers.

    Each is the first word that WordNet has for it; two pairs of one word are told apart in brackets.
    """
    text = files("netwright.weights").joinpath("imagenet1k.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(line.split("\t")[1] for line in lines)
