"""Images to arrays, true boxes to targets, and a network's boxes back to the images, as fitted on the training images.

    fitted = json.loads(Path("preprocessing.json").read_text())
    preprocessing = DetectionPreprocessing(fitted)
    paths = preprocessing.read("photos")
    arrays = preprocessing.load(paths)  # {"x": (N, C, S, S)}, compact
    found = network(**preprocessing.batch(arrays))  # for each image boxes, scores, labels, in the square's pixels
    preprocessing.restore(found[0], preprocessing.size_of(paths[0]))  # in the image's own

Boxes are x1, y1, x2, y2 in pixels of the image as it is stored. Needs numpy and pillow.
"""

import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
ANNOTATIONS = "boxes.json"
"""COCO's JSON beside the images: images, categories, annotations."""

Objects = dict[str, Any]
"""The true objects of one image, plain data: size [height, width], boxes [[x1, y1, x2, y2], …], labels [code, …],
ignored [whether it is neither learned nor counted as missed, …]."""
Found = dict[str, np.ndarray]
"""What was found in one image: boxes (N, 4), scores (N,) best first, labels (N,)."""


class DetectionPreprocessing:
    """Images scaled into a square, from its upper left corner on, their boxes alike."""

    def __init__(self, fitted: dict[str, Any]):
        self.fitted = fitted
        self.target = fitted["target"]
        self.size: int = fitted["image_size"]
        self.channels: int = fitted["channels"]

    @property
    def contract(self) -> dict[str, Any]:
        """What the network's constructor must be given."""
        classes = len(self.target["labels"])
        return {"in_channels": self.channels, "image_size": self.size, "num_classes": classes}

    def read(self, path: str | Path) -> list[str]:
        """The paths of one image, or of all in a folder, sorted."""
        path = Path(path)
        if not path.is_dir():
            return [str(path)]
        return sorted(str(f) for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.name[0] != ".")

    def annotated(self, path: str | Path) -> tuple[list[str], list[Objects]] | None:
        """The images that boxes.json in a folder names, in images/ beside it, and their true objects; None without it.

        ValueError where it names a class that the network does not know, or an image that is not there.
        """
        home = Path(path)
        if not (home / ANNOTATIONS).is_file():
            return None
        content = json.loads((home / ANNOTATIONS).read_text(encoding="utf-8"))
        names, codes = {one["id"]: str(one["name"]) for one in content["categories"]}, self._codes()
        objects: dict[Any, Objects] = {
            one["id"]: {"size": [one["height"], one["width"]], "boxes": [], "labels": [], "ignored": []}
            for one in content["images"]
        }
        for thing in content["annotations"]:
            name, (x, y, w, h) = names[thing["category_id"]], thing["bbox"]
            if name not in codes:
                raise ValueError(f"{name!r} is no class of the network")
            there = objects[thing["image_id"]]
            there["boxes"].append([x, y, x + w, y + h])
            there["labels"].append(codes[name])
            there["ignored"].append(bool(thing.get("iscrowd", 0)))
        paths = [home / "images" / one["file_name"] for one in content["images"]]
        missing = next((each for each in paths if not each.is_file()), None)
        if missing:
            raise ValueError(f"there is no image {missing}")
        return [str(each) for each in paths], list(objects.values())

    def load(self, paths: Iterable[str | Path]) -> dict[str, np.ndarray]:
        """Images → x (N, C, S, S) u8."""
        paths = list(paths)
        stacked = np.empty((len(paths), self.channels, self.size, self.size), dtype=np.uint8)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # pillow decodes outside the interpreter's lock
            for row, pixels in enumerate(pool.map(self._image, paths)):
                stacked[row] = pixels
        return {"x": stacked}

    def targets(self, objects: Iterable[Objects]) -> np.ndarray:
        """True objects → (N, M, 6) f32: x1 y1 x2 y2 in the square's pixels, the class, 1 where it is ignored.

        Rows of class −1 hold nothing: M is the most that any image has.
        """
        every = list(objects)
        found = np.zeros((len(every), max([1, *(len(one["boxes"]) for one in every)]), 6), dtype=np.float32)
        found[..., 4] = -1
        for row, one in enumerate(every):
            count = len(one["boxes"])
            boxes = np.array(one["boxes"], dtype=np.float32).reshape(-1, 4)
            found[row, :count, :4] = boxes * self._factors(one["size"])
            found[row, :count, 4], found[row, :count, 5] = one["labels"], one["ignored"]
        return found

    def batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """A batch of `load`'s arrays (numpy or torch) as the network's argument images (B, C, S, S) f32."""
        x, scale = arrays["x"], self.fitted["scale"]
        shift = np.array([m * scale for m in self.fitted["mean"]], np.float32).reshape(1, -1, 1, 1)
        factor = np.array([1 / (s * scale) for s in self.fitted["std"]], np.float32).reshape(1, -1, 1, 1)
        if isinstance(x, np.ndarray):
            return {"images": (x.astype(np.float32) - shift) * factor}
        x = x.float()
        return {"images": (x - x.new_tensor(shift)) * x.new_tensor(factor)}

    def restore(self, found: dict[str, Any], size: Sequence[int]) -> Found:
        """A network's boxes, scores and labels of one image in pixels of the image of this height and width.

        What lies beside the image in the square is cut off; less than a pixel is no box.
        """
        boxes = np.asarray(found["boxes"], dtype=np.float32).reshape(-1, 4) / self._factors(size)
        height, width = size
        boxes = np.clip(boxes, 0, np.array([width, height, width, height], dtype=np.float32))
        kept = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
        scores, labels = np.asarray(found["scores"]), np.asarray(found["labels"])
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}

    def size_of(self, path: str | Path) -> tuple[int, int]:
        """An image's height and width, as it is stored."""
        with Image.open(path) as file:
            return file.height, file.width

    def names_of(self, paths: Sequence[str]) -> list[str]:
        """What tells the images apart: their file names, in sub-folders that differ."""
        whole = [Path(path).resolve() for path in paths]
        home = os.path.commonpath([path.parent for path in whole]) if paths else ""
        return [path.relative_to(home).as_posix() for path in whole]

    def results(self, names: Sequence[Any], found: Sequence[Found]) -> list[dict[str, Any]]:
        """Found objects in the form of COCO's results: bbox is x, y, width, height; categories count from 1 on."""
        labels, rows = self.target["labels"], []
        for name, one in zip(names, found, strict=True):
            for (x1, y1, x2, y2), score, code in zip(
                one["boxes"].tolist(), one["scores"].tolist(), one["labels"].tolist(), strict=True
            ):
                box = [round(value, 3) for value in (x1, y1, x2 - x1, y2 - y1)]
                rows.append(
                    {"image_id": name, "category_id": code + 1, "category": labels[code], "bbox": box, "score": score}
                )
        return rows

    def _codes(self) -> dict[str, int]:
        return {str(label): code for code, label in enumerate(self.target["labels"])}

    def _factors(self, size: Sequence[int]) -> np.ndarray:
        """From pixels of an image of this height and width to the square's, (4,)."""
        height, width = self._inner(*size)
        return np.array([width / size[1], height / size[0]] * 2, dtype=np.float32)

    def _inner(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of an image inside the square."""
        longest = max(height, width)
        return max(1, round(height * self.size / longest)), max(1, round(width * self.size / longest))

    def _image(self, path: str | Path) -> np.ndarray:
        """One image in its square, (C, S, S) u8; beside it the mean colour."""
        pixels = self.scaled(path)
        square = np.empty((self.channels, self.size, self.size), dtype=np.uint8)
        square[:] = np.round(np.array(self.fitted["mean"]) * self.fitted["scale"])[:, None, None]
        square[:, : pixels.shape[1], : pixels.shape[2]] = pixels
        return square

    def scaled(self, path: str | Path) -> np.ndarray:
        """One image, scaled so that its longer side is the square's, (C, h, w) u8."""
        try:
            with Image.open(path) as file:
                image = plain(file, "L" if self.channels == 1 else "RGB")
        except OSError as error:
            raise ValueError(f"{path} can't be read as an image: {error}") from None
        height, width = self._inner(image.height, image.width)
        if (image.height, image.width) != (height, width):
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def plain(image: Image.Image, mode: str) -> Image.Image:
    """An image as grey (L) or RGB: 16 bits become 8, transparency becomes white."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 256).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)
