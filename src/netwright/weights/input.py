"""The images that published weights were trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from netwright.errors import InputError

DATASETS = ("imagenet1k", "coco", "voc", "ade20k", "cityscapes")
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Input:
    """How an image becomes the network's input; the default is torchvision's for ImageNet.

    The shorter side is resized to `size` / `crop`, a square of `size` pixels is cut out of the middle, and
    values from 0 to 1 become (x − mean) / std for each channel, red first, or blue first where `order` is "bgr".
    Where `crop` is None, as for boxes and masks, the whole image is taken, its shorter side `size`.
    """

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    size: int = 224
    crop: float | None = 0.875
    interpolation: str = "bilinear"
    order: str = "rgb"

    def for_channels(self, in_channels: int) -> "Input":
        """The same with another number of channels, each with the mean of the three."""
        if in_channels == len(self.mean):
            return self
        mean, std = (sum(values) / len(values) for values in (self.mean, self.std))
        return replace(self, mean=(mean,) * in_channels, std=(std,) * in_channels)

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
def class_names(dataset: str = "imagenet1k") -> tuple[str, ...]:
    """The classes of a data set in the order of the published networks' outputs.

    - `imagenet1k`: each is the first word that WordNet has for it; two pairs of one word are told apart in brackets;
    - `coco`: by the number of the category, 0 to 90, of which "" never occurs;
    - `voc`: Pascal VOC, the background first;
    - `ade20k`: the 150 of the benchmark, the first word for each;
    - `cityscapes`: the 19 that count.
    """
    path = files("netwright.weights").joinpath(f"{dataset}.txt")
    if not path.is_file():
        raise InputError(f"the classes of {dataset!r} are not known", fix=f"known are {', '.join(DATASETS)}")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return tuple(line.split("\t")[1] if "\t" in line else "" for line in lines)
