"""Emoji on photos: small images with exact boxes and masks, for segmentation, detection and classification.

Emoji of five groups, turned by up to 20 degrees and 18 to 44 pixels long, lie on crops of six photos, beside each
other. Every fifth emoji is seen in the test part alone. The same seed gives the same images.

    python benchmarks/emoji.py            # all of them, under .cache/data/emoji/
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GROUPS = {0: "smileys", 3: "animals", 4: "food", 5: "travel", 7: "objects"}  # of emojibase: names of the classes
CLASSES = tuple(GROUPS.values())
PHOTOS = ("grass", "gravel", "brick", "coffee", "chelsea", "rocket")
SHORTEST, LONGEST, TURN = 18, 44, 20.0


@dataclass(frozen=True)
class Emoji:
    picture: Image.Image  # RGBA, cut to what is drawn
    label: int
    name: str = ""


@dataclass(frozen=True)
class Scene:
    """One image, its objects in the order in which they were put there; objects do not overlap."""

    image: np.ndarray  # (H, W, 3) uint8
    masks: np.ndarray  # (N, H, W) bool: where the emoji hides more than half of the photo
    labels: np.ndarray  # (N,)

    @property
    def boxes(self) -> np.ndarray:
        """(N, 4), corners x1 y1 x2 y2 of the masks: the last row and column are outside."""
        boxes = []
        for mask in self.masks:
            y, x = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            boxes.append([x[0], y[0], x[-1] + 1, y[-1] + 1])
        return np.array(boxes, dtype=np.int64).reshape(-1, 4)

    @property
    def classes(self) -> np.ndarray:
        """(H, W) uint8: 0 where there is no object, else 1 + its label."""
        return (self.masks * (self.labels + 1)[:, None, None]).sum(0, dtype=np.uint8)


@dataclass(frozen=True)
class Material:
    photos: Sequence[np.ndarray]  # (H, W, 3) uint8
    train: Sequence[Emoji]
    test: Sequence[Emoji]


def material() -> Material:
    """The photos and emoji out of their packages."""
    from datasets import member

    photos = [np.asarray(Image.open(io.BytesIO(member(name))).convert("RGB")) for name in PHOTOS]
    font = ImageFont.truetype(io.BytesIO(member("emoji-font")), 109, layout_engine=ImageFont.Layout.BASIC)
    emoji = []
    for entry in json.loads(member("emoji-names")):
        points = [code for code in entry["hexcode"].split("-") if code != "FE0F"]
        if entry.get("group") in GROUPS and len(points) == 1:
            picture = draw(font, chr(int(points[0], 16)))
            if picture.getbbox():  # the font is older than the newest emoji
                emoji.append(Emoji(picture, CLASSES.index(GROUPS[entry["group"]]), entry["label"]))
    test = emoji[4::5]
    return Material(photos, [e for i, e in enumerate(emoji) if i % 5 != 4], test)


def draw(font: ImageFont.FreeTypeFont, text: str) -> Image.Image:
    picture = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(picture).text((10, 10), text, font=font, embedded_color=True)
    return picture.crop(picture.getbbox())


def scenes(
    photos: Sequence[np.ndarray],
    emoji: Sequence[Emoji],
    number: int,
    seed: int,
    size: int = 96,
    most: int = 4,
    lengths: tuple[int, int] = (SHORTEST, LONGEST),
) -> Iterator[Scene]:
    """`number` images of size × size pixels with one to `most` emoji each."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        image = crop(photos[rng.integers(len(photos))], size, rng)
        masks, labels = [], []
        for chosen in rng.integers(len(emoji), size=rng.integers(1, most + 1)):
            picture = turned(
                emoji[chosen].picture, int(rng.integers(lengths[0], lengths[1] + 1)), rng.uniform(-TURN, TURN)
            )
            for _ in range(20):  # places that are tried; where there is no room, there is one object less
                x, y = (int(rng.integers(0, size - side + 1)) for side in picture.size)
                layer = Image.new("RGBA", (size, size))
                layer.paste(picture, (x, y))
                alpha = np.asarray(layer)[..., 3]
                if not any((mask & (alpha > 0)).any() for mask in masks):
                    weight = alpha[..., None] / 255
                    image = np.rint(image * (1 - weight) + np.asarray(layer)[..., :3] * weight).astype(np.uint8)
                    masks.append(alpha > 127)
                    labels.append(emoji[chosen].label)
                    break
        yield Scene(image, np.array(masks), np.array(labels, dtype=np.int64))


def crop(photo: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A square piece, one to two and a half times as long as `size` and scaled to it, perhaps mirrored."""
    side = int(rng.uniform(size, min(2.5 * size, *photo.shape[:2])))
    y, x = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
    piece = Image.fromarray(photo[y : y + side, x : x + side]).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(piece)[:, :: -1 if rng.random() < 0.5 else 1]


def turned(picture: Image.Image, length: int, degrees: float) -> Image.Image:
    """Turned, cut to what is drawn, and scaled so that the longer side has `length` pixels."""
    picture = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    picture = picture.crop(picture.getbbox())
    scale = length / max(picture.size)
    return picture.resize([max(1, round(side * scale)) for side in picture.size], Image.Resampling.BOX)


# What is written -------------------------------------------------------------------------------------------------


def write_masks(folder: Path, part: str, found: Iterator[Scene], classes: Sequence[str] = CLASSES) -> None:
    """PART/images/N.png, PART/masks/N.png with the number of each pixel's class, classes.txt.

    With one name in `classes`, all groups are that class.
    """
    images, masks = folder / part / "images", folder / part / "masks"
    for path in (images, masks):
        path.mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("\n".join(("background", *classes)) + "\n")
    for i, scene in enumerate(found):
        Image.fromarray(scene.image).save(images / f"{i:05}.png")
        Image.fromarray(scene.classes.clip(max=len(classes))).save(masks / f"{i:05}.png")


def write_foreground(folder: Path, part: str, found: Iterator[Scene]) -> None:
    """As `write_masks`, of two classes: emoji against background."""
    write_masks(folder, part, found, ("emoji",))


def write_coco(folder: Path, part: str, found: Iterator[Scene]) -> None:
    """PART/N.png and annotations/instances_PART.json, masks as run lengths."""
    (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(exist_ok=True)
    images, annotations = [], []
    for i, scene in enumerate(found):
        name = f"{i:05}.png"
        Image.fromarray(scene.image).save(folder / part / name)
        height, width = scene.image.shape[:2]
        images.append({"id": i + 1, "file_name": name, "height": height, "width": width})
        for mask, label, (x1, y1, x2, y2) in zip(scene.masks, scene.labels.tolist(), scene.boxes.tolist(), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i + 1,
                    "category_id": label + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                    "segmentation": {"size": [height, width], "counts": run_lengths(mask)},
                }
            )
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(content))


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed code: how many zeros, ones, zeros … follow each other, column by column."""
    flat = np.r_[False, mask.ravel(order="F")]
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.r_[0, changes, mask.size]).tolist()


def write_voc(folder: Path, part: str, found: Iterator[Scene]) -> None:
    """JPEGImages/PART_N.png, Annotations/PART_N.xml and the list ImageSets/Main/PART.txt."""
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    names = []
    for i, scene in enumerate(found):
        names.append(f"{part}_{i:05}")
        Image.fromarray(scene.image).save(folder / "JPEGImages" / f"{names[-1]}.png")
        root = ElementTree.Element("annotation")
        add(root, folder=folder.name, filename=f"{names[-1]}.png")
        height, width = scene.image.shape[:2]
        add(ElementTree.SubElement(root, "size"), width=width, height=height, depth=3)
        for label, (x1, y1, x2, y2) in zip(scene.labels, scene.boxes, strict=True):
            item = ElementTree.SubElement(root, "object")
            add(item, name=CLASSES[label], truncated=0, difficult=0)
            # the first pixel is 1, and the last one is inside
            add(ElementTree.SubElement(item, "bndbox"), xmin=x1 + 1, ymin=y1 + 1, xmax=x2, ymax=y2)
        ElementTree.indent(root)
        ElementTree.ElementTree(root).write(folder / "Annotations" / f"{names[-1]}.xml")
    (folder / "ImageSets/Main" / f"{part}.txt").write_text("\n".join(names) + "\n")


def add(element: ElementTree.Element, **values: object) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, name).text = str(value)


def write_classes(folder: Path, part: str, found: Iterator[Scene]) -> None:
    """PART/CLASS/N.png, of scenes with one object."""
    for i, scene in enumerate(found):
        path = folder / part / CLASSES[scene.labels[0]] / f"{i:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene.image).save(path)


WRITERS = {
    "masks": write_masks,
    "foreground": write_foreground,
    "coco": write_coco,
    "voc": write_voc,
    "classes": write_classes,
}
ONE = {"size": 64, "most": 1, "lengths": (30, 56)}  # an image of one emoji


def dataset(kind: str, train: int = 1000, test: int = 250, seed: int = 0, size: int = 96) -> Path:
    """The folder of a data set, made once: `masks`, `foreground` (two classes), `coco`, `voc` (of the same images), or
    `classes` (of one emoji)."""
    from datasets import CACHE

    folder = CACHE / "emoji" / f"{kind}-{train}-{test}-{seed}-{size}"
    if not folder.exists():
        half, found = folder.with_name(f"{folder.name}.part"), material()
        how = ONE if kind == "classes" else {"size": size}
        for part, emoji, number, start in (
            ("train", found.train, train, 2 * seed),
            ("test", found.test, test, 2 * seed + 1),
        ):
            WRITERS[kind](half, part, scenes(found.photos, emoji, number, start, **how))
        half.rename(folder)
    return folder


if __name__ == "__main__":
    for kind in WRITERS:
        print(dataset(kind))
