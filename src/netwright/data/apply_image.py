"""Images to arrays, as fitted on the training images.

    fitted = json.loads(Path("preprocessing.json").read_text())
    preprocessing = ImagePreprocessing(fitted)
    arrays = preprocessing.load(preprocessing.read("photos"))  # {"x": (N, C, H, W)}, compact
    network(**preprocessing.batch(arrays))  # normalised, batch by batch

Needs numpy and pillow.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


class ImagePreprocessing:
    """Images → one size and number of channels, then (x / scale − mean) / std for each channel."""

    def __init__(self, fitted: dict[str, Any]):
        self.fitted = fitted
        self.target = fitted["target"]
        self.size: int = fitted["image_size"]
        self.channels: int = fitted["channels"]

    @property
    def contract(self) -> dict[str, Any]:
        """What the network's constructor must be given."""
        return {
            "in_channels": self.channels,
            "image_size": self.size,
            "num_classes": len(self.target["labels"]) if self.target["kind"] == "classes" else 1,
        }

    def read(self, path: str | Path) -> np.ndarray | list[str]:
        """The images of an NPZ or NPY file, or the paths of one image or of all in a folder, sorted."""
        path = Path(path)
        if path.suffix in (".npz", ".npy"):
            loaded = np.load(path, allow_pickle=False)
            if path.suffix == ".npy":
                return loaded
            names = {name.lower(): name for name in loaded.files}
            known = [names[name] for name in ("x", "images", "data", "inputs", "features", "x_test") if name in names]
            if not known:
                raise ValueError(f"{path} has no array x of images; it holds {', '.join(loaded.files)}")
            return loaded[known[0]]
        if path.is_dir():
            return sorted(str(f) for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.name[0] != ".")
        return [str(path)]

    def load(self, inputs: Any) -> dict[str, np.ndarray]:
        """Paths, or an array (N, H, W), (N, H, W, C) or (N, C, H, W) → x (N, C, H, W), u8 or f32."""
        if isinstance(inputs, np.ndarray) and inputs.dtype.kind in "biuf":
            return {"x": self._arrays(inputs)}
        x = np.empty((len(inputs), self.channels, self.size, self.size), dtype=np.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # pillow decodes outside the interpreter's lock
            for row, image in enumerate(pool.map(self._decode, inputs)):
                x[row] = image
        return {"x": x}

    def batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """A batch of `load`'s arrays (numpy or torch) as the network's argument x (B, C, H, W) f32."""
        x, scale = arrays["x"], self.fitted["scale"]
        shift = [m * scale for m in self.fitted["mean"]]
        factor = [1 / (s * scale) for s in self.fitted["std"]]
        if isinstance(x, np.ndarray):
            x = x.astype(np.float32) - np.array(shift, np.float32).reshape(1, -1, 1, 1)
            return {"x": x * np.array(factor, np.float32).reshape(1, -1, 1, 1)}
        x = x.float()
        return {"x": (x - x.new_tensor(shift).view(1, -1, 1, 1)) * x.new_tensor(factor).view(1, -1, 1, 1)}

    def _decode(self, path: str | Path) -> np.ndarray:
        """One image file as (C, H, W) u8."""
        mode = "L" if self.channels == 1 else "RGB"
        try:
            with Image.open(path) as file:
                file.draft(mode, (self.size, self.size))  # JPEG: decode at a smaller scale
                image = plain(ImageOps.exif_transpose(file), mode)
        except OSError as error:
            raise ValueError(f"{path} can't be read as an image: {error}") from None
        pixels = np.asarray(self._resize(image))
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)

    def _resize(self, image: Image.Image) -> Image.Image:
        """To size × size: stretched, or the shorter side resized and the centre cut out."""
        square = (self.size, self.size)
        if image.size == square:
            return image
        if self.fitted["fit"] == "stretch":
            return image.resize(square, Image.Resampling.BICUBIC)
        return ImageOps.fit(image, square, Image.Resampling.BICUBIC)

    def _arrays(self, x: np.ndarray) -> np.ndarray:
        """An array of images as (N, C, size, size), u8 where its values fit, else f32."""
        if x.ndim == 3:
            x = x[:, None]
        elif x.ndim == 4 and not (x.shape[1] == self.channels and x.shape[3] != self.channels):
            x = x.transpose(0, 3, 1, 2)
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"the network reads images with {self.channels} channels, not arrays of shape {x.shape}")
        if self.fitted["dtype"] == "uint8" and ((x < 0) | (x > 255) | (x % 1 != 0)).any():
            raise ValueError("the network reads images with whole values from 0 to 255; these have others")
        x = np.ascontiguousarray(x, dtype=np.uint8 if self.fitted["dtype"] == "uint8" else np.float32)
        if x.shape[2:] == (self.size, self.size):
            return x
        resized = np.empty((*x.shape[:2], self.size, self.size), dtype=x.dtype)
        for row in range(len(x)):
            for channel in range(self.channels):
                resized[row, channel] = np.asarray(self._resize(Image.fromarray(x[row, channel])))
        return resized

    def targets(self, target: Any) -> np.ndarray:
        """Class numbers i64 (N,), or standardised numbers f32 (N,)."""
        return targets(self.target, target)

    def decode(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The network's outputs (N, K) → labels (N,) and probabilities (N, K), or numbers (N,) and None."""
        return decode(self.target, outputs)


def plain(image: Image.Image, mode: str) -> Image.Image:
    """An image as grey (L) or RGB: 16 bits become 8, transparency becomes white."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 256).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


TRANSFORMS: dict[str, Any] = {
    "none": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}


def targets(fitted: dict[str, Any], target: Any) -> np.ndarray:
    """Class numbers i64 (N,), or standardised numbers f32 (N,)."""
    values = np.asarray(target)
    if fitted["kind"] == "number":
        forward, _ = TRANSFORMS[fitted["transform"]]
        return ((forward(values.astype(np.float64)) - fitted["mean"]) / fitted["std"]).astype(np.float32)
    codes = {_word(label): code for code, label in enumerate(fitted["labels"])}
    words = [_word(value) for value in values.tolist()]
    unknown = [word for word in words if word not in codes]
    if unknown:
        raise ValueError(f"unknown class {unknown[0]!r}; the network knows {', '.join(codes)}")
    return np.array([codes[word] for word in words], dtype=np.int64)


def decode(fitted: dict[str, Any], outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Outputs (N, K) → labels (N,) and probabilities (N, K), or numbers (N,) and None."""
    outputs = np.asarray(outputs, dtype=np.float64)
    if fitted["kind"] == "number":
        _, backward = TRANSFORMS[fitted["transform"]]
        return backward(outputs[:, 0] * fitted["std"] + fitted["mean"]), None
    odds = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.array(fitted["labels"])[odds.argmax(axis=1)], odds / odds.sum(axis=1, keepdims=True)


def _word(label: Any) -> str:
    """A class as a string: 3 and 3.0 are both "3"."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
