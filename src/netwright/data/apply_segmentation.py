"""Images and masks to arrays, and a network's scores back to masks, as fitted on the training images.

    fitted = json.loads(Path("preprocessing.json").read_text())
    preprocessing = SegmentationPreprocessing(fitted)
    paths = preprocessing.read("photos")
    arrays = preprocessing.load(paths)  # {"x": (N, C, H, W)}, compact
    network(**preprocessing.batch(arrays))  # scores (B, K, H, W); normalised, batch by batch
    codes = preprocessing.restore(scores, preprocessing.size_of(paths[0]))  # (h, w), of the image's own size

Needs numpy and pillow.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
MASK_SUFFIXES = (".png", ".gif", ".bmp", ".tif", ".tiff")
IGNORE = 255
"""The code of pixels that have no class, or lie outside the image."""


class SegmentationPreprocessing:
    """Images scaled into a square, their masks alike; what the square has more is not counted."""

    def __init__(self, fitted: dict[str, Any]):
        self.fitted = fitted
        self.target = fitted["target"]
        self.size: int = fitted["image_size"]
        self.channels: int = fitted["channels"]
        self.codes = np.full(256, IGNORE, dtype=np.uint8)
        self.codes[fitted["values"]] = np.arange(len(fitted["values"]), dtype=np.uint8)

    @property
    def contract(self) -> dict[str, Any]:
        """What the network's constructor must be given."""
        classes = len(self.target["labels"])
        return {"in_channels": self.channels, "image_size": self.size, "num_classes": classes}

    def read(self, path: str | Path) -> list[str]:
        """The paths of one image, or of all in a folder (or in its images/), sorted."""
        path = Path(path)
        if not path.is_dir():
            return [str(path)]
        home = next((sub for sub in path.iterdir() if sub.is_dir() and sub.name.lower() == "images"), path)
        return sorted(str(f) for f in home.rglob("*") if f.suffix.lower() in SUFFIXES and f.name[0] != ".")

    def masks_of(self, paths: list[str]) -> list[str] | None:
        """The masks in masks/ beside the images' folder, by name; None where any is missing."""
        found = []
        for path in map(Path, paths):
            near = [path.parent.parent / "masks" / f"{path.stem}{suffix}" for suffix in MASK_SUFFIXES]
            found += [str(mask) for mask in near if mask.is_file()][:1]
        return found if len(found) == len(paths) and found else None

    def names_of(self, paths: list[str]) -> list[str]:
        """A mask's file name for each image: its own, in PNG, in the sub-folders that tell images apart."""
        whole = [Path(path).resolve() for path in paths]
        home = os.path.commonpath([path.parent for path in whole]) if paths else ""
        near = [path.relative_to(home) for path in whole]
        short = [str(path.with_suffix(".png")) for path in near]
        return short if len(set(short)) == len(short) else [f"{path}.png" for path in near]

    def load(self, paths: Iterable[str | Path]) -> dict[str, np.ndarray]:
        """Images → x (N, C, S, S) u8."""
        return {"x": self._stack(self._image, list(paths), (self.channels, self.size, self.size))}

    def targets(self, masks: Iterable[str | Path]) -> np.ndarray:
        """Masks → class codes (N, S, S) u8, 255 where a pixel has none."""
        return self._stack(self._mask, list(masks), (self.size, self.size))

    def truth(self, mask: str | Path) -> np.ndarray:
        """A mask's class codes at its own size, (h, w) u8."""
        with Image.open(mask) as file:
            return self.codes[mask_pixels(file)]

    def batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """A batch of `load`'s arrays (numpy or torch) as the network's argument x (B, C, S, S) f32."""
        x, scale = arrays["x"], self.fitted["scale"]
        shift = np.array([m * scale for m in self.fitted["mean"]], np.float32).reshape(1, -1, 1, 1)
        factor = np.array([1 / (s * scale) for s in self.fitted["std"]], np.float32).reshape(1, -1, 1, 1)
        if isinstance(x, np.ndarray):
            return {"x": (x.astype(np.float32) - shift) * factor}
        x = x.float()
        return {"x": (x - x.new_tensor(shift)) * x.new_tensor(factor)}

    def restore(self, scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Scores (K, S, S), or codes (S, S), as class codes (h, w) u8 of the image's own size (h, w)."""
        height, width = size
        inner = self._inner(height, width)
        scores = np.asarray(scores)[..., : inner[0], : inner[1]]
        if scores.ndim == 2:
            return np.asarray(
                Image.fromarray(scores.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
            )
        if inner != (height, width):
            planes = [Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)) for plane in scores]
            planes = [plane.resize((width, height), Image.Resampling.BILINEAR) for plane in planes]
            scores = np.stack([np.asarray(plane) for plane in planes])
        return scores.argmax(0).astype(np.uint8)

    def size_of(self, path: str | Path) -> tuple[int, int]:
        """An image's height and width, as it is to be seen."""
        with Image.open(path) as file:
            width, height = file.size
            return (width, height) if file.getexif().get(0x0112, 1) >= 5 else (height, width)

    def picture(self, codes: np.ndarray) -> Image.Image:
        """Class codes (h, w) as a mask to save: pixels hold the values of the training masks, shown in colours."""
        values = np.array(self.fitted["values"], dtype=np.uint8)
        image = Image.fromarray(values[codes], mode="P")
        image.putpalette(palette())
        return image

    def _inner(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of an image inside the square."""
        longest = max(height, width)
        return max(1, round(height * self.size / longest)), max(1, round(width * self.size / longest))

    def _stack(self, read: Any, paths: list, shape: tuple[int, ...]) -> np.ndarray:
        stacked = np.empty((len(paths), *shape), dtype=np.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # pillow decodes outside the interpreter's lock
            for row, pixels in enumerate(pool.map(read, paths)):
                stacked[row] = pixels
        return stacked

    def _image(self, path: str | Path) -> np.ndarray:
        """One image in its square, (C, S, S) u8; beside it the mean colour."""
        pixels = self.scaled(path)
        square = np.empty((self.channels, self.size, self.size), dtype=np.uint8)
        square[:] = np.round(np.array(self.fitted["mean"]) * self.fitted["scale"])[:, None, None]
        square[:, : pixels.shape[1], : pixels.shape[2]] = pixels
        return square

    def scaled(self, path: str | Path) -> np.ndarray:
        """One image, its longer side of `image_size` pixels, (C, h, w) u8."""
        mode = "L" if self.channels == 1 else "RGB"
        try:
            with Image.open(path) as file:
                image = plain(ImageOps.exif_transpose(file), mode)
        except OSError as error:
            raise ValueError(f"{path} can't be read as an image: {error}") from None
        height, width = self._inner(image.height, image.width)
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)

    def _mask(self, path: str | Path) -> np.ndarray:
        """One mask in its square, (S, S) u8."""
        codes = self.truth(path)
        height, width = self._inner(*codes.shape)
        if codes.shape != (height, width):
            codes = np.asarray(Image.fromarray(codes).resize((width, height), Image.Resampling.NEAREST))
        square = np.full((self.size, self.size), IGNORE, dtype=np.uint8)
        square[:height, :width] = codes
        return square


def mask_pixels(file: Image.Image) -> np.ndarray:
    """The values of a mask's pixels, (h, w) u8: of its palette's entries, of grey, or of equal channels."""
    if file.mode in ("1", "I", "I;16"):
        pixels = np.asarray(file).astype(np.int64)
        if pixels.max() > 255:
            raise ValueError(f"its values go up to {pixels.max()}; class numbers go up to 254")
        return pixels.astype(np.uint8)
    pixels = np.asarray(file)
    if pixels.dtype != np.uint8:
        raise ValueError("its pixels are no whole numbers")
    if pixels.ndim == 3:
        colours = pixels[..., :3] if file.mode in ("RGB", "RGBA") else pixels[..., :1]
        if (colours != colours[..., :1]).any():
            raise ValueError("it is coloured; a mask holds the number of each pixel's class, in grey or as a palette")
        pixels = colours[..., 0]
    return pixels


def palette() -> list[int]:
    """256 colours, the first dark, neighbours far apart (the bits of the number spread over red, green, blue)."""
    colours = []
    for number in range(256):
        rest, colour = number, [0, 0, 0]
        for bit in range(7, -1, -1):
            for channel in range(3):
                colour[channel] |= (rest >> channel & 1) << bit
            rest >>= 3
        colours += colour
    colours[-3:] = [255, 255, 255]
    return colours


def plain(image: Image.Image, mode: str) -> Image.Image:
    """An image as grey (L) or RGB: 16 bits become 8, transparency becomes white."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 256).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)
