"""Synthetic scenes with boxes: discs and squares of two colours on noise, in COCO's and in Pascal VOC's format."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
from PIL import Image, ImageDraw

LABELS = ["disc", "square"]
Boxes = list[tuple[str, tuple[int, int, int, int]]]


def scene(rng: np.random.Generator, height: int, width: int, most: int = 3) -> tuple[Image.Image, Boxes]:
    """An image, and the label and corners of each thing on it."""
    image = Image.fromarray(rng.normal(110, 25, (height, width, 3)).clip(0, 255).astype(np.uint8))
    boxes: Boxes = []
    for _ in range(int(rng.integers(1, most + 1))):
        code, side = int(rng.integers(2)), int(rng.integers(min(height, width) // 5, min(height, width) // 2))
        x, y = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
        if any(x < b[2] and b[0] < x + side and y < b[3] and b[1] < y + side for _, b in boxes):
            continue
        draw = getattr(ImageDraw.Draw(image), ("ellipse", "rectangle")[code])
        draw([x, y, x + side - 1, y + side - 1], fill=((230, 60, 50), (50, 90, 230))[code])
        boxes.append((LABELS[code], (x, y, x + side, y + side)))
    return image, boxes


def scenes(count: int, size: tuple[int, int], seed: int) -> list[tuple[Image.Image, Boxes]]:
    rng = np.random.default_rng(seed)
    return [scene(rng, *size) for _ in range(count)]


def write_coco(folder: Path, count: int = 24, size: tuple[int, int] = (32, 32), seed: int = 0, name: str = "") -> Path:
    """images/ and instances.json, or a part of a larger set: NAME/ and annotations/instances_NAME.json."""
    home = folder / (name or "images")
    home.mkdir(parents=True)
    images, things = [], []
    for number, (image, boxes) in enumerate(scenes(count, size, seed)):
        image.save(home / f"{number:03}.png")
        images.append({"id": number, "file_name": f"{number:03}.png", "height": size[0], "width": size[1]})
        for label, (x1, y1, x2, y2) in boxes:
            thing = {"id": len(things), "image_id": number, "category_id": LABELS.index(label) + 1, "iscrowd": 0}
            things.append({**thing, "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)})
    categories = [{"id": code, "name": label} for code, label in enumerate(LABELS, 1)]
    content = {"images": images, "annotations": things, "categories": categories}
    file = folder / "annotations" / f"instances_{name}.json" if name else folder / "instances.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content))
    return folder


def write_voc(folder: Path, count: int = 24, size: tuple[int, int] = (32, 32), seed: int = 0) -> Path:
    """JPEGImages/ and Annotations/."""
    for sub in ("JPEGImages", "Annotations"):
        (folder / sub).mkdir(parents=True)
    for number, (image, boxes) in enumerate(scenes(count, size, seed)):
        image.save(folder / "JPEGImages" / f"{number:03}.png")
        tree = Xml.Element("annotation")
        Xml.SubElement(tree, "filename").text = f"{number:03}.png"
        for label, (x1, y1, x2, y2) in boxes:
            item = Xml.SubElement(tree, "object")
            Xml.SubElement(item, "name").text = label
            box = Xml.SubElement(item, "bndbox")
            for side, value in (("xmin", x1 + 1), ("ymin", y1 + 1), ("xmax", x2), ("ymax", y2)):
                Xml.SubElement(box, side).text = str(value)
        (folder / "Annotations" / f"{number:03}.xml").write_bytes(Xml.tostring(tree))
    return folder


def outline(folder: Path, name: str = "instances.json") -> Path:
    """Adds to each thing of `write_coco` its outline: of a square a polygon, of a disc run lengths."""
    file = folder / name
    content = json.loads(file.read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    for thing in content["annotations"]:
        x, y, side, _ = thing["bbox"]
        if thing["category_id"] == 2:
            thing["segmentation"] = [[x, y, x + side, y, x + side, y + side, x, y + side]]
            continue
        height, width = sizes[thing["image_id"]]
        disc = Image.new("1", (width, height))
        ImageDraw.Draw(disc).ellipse([x, y, x + side - 1, y + side - 1], fill=1)
        flat = np.r_[False, np.asarray(disc).ravel(order="F")]
        changes = np.flatnonzero(flat[1:] != flat[:-1])
        counts = np.diff(np.r_[0, changes, height * width]).tolist()
        thing["segmentation"] = {"size": [height, width], "counts": counts}
    file.write_text(json.dumps(content))
    return folder
