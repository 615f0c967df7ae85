"""The emoji composites, with shapes of one colour for emoji: exact boxes and masks in every format."""

import contextlib
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from benchmarks import emoji
from PIL import Image, ImageDraw
from pycocotools.coco import COCO

COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (250, 0, 250)]


def shapes() -> list[emoji.Emoji]:
    """A disc, cut to what is drawn, in the colour of each class."""
    made = []
    for label, colour in enumerate(COLOURS):
        picture = Image.new("RGBA", (100, 80))
        ImageDraw.Draw(picture).ellipse([0, 0, 99, 79], fill=(*colour, 255))
        made.append(emoji.Emoji(picture, label))
    return made


def scenes(number: int = 12, seed: int = 0, **how) -> list[emoji.Scene]:
    grey = np.random.default_rng(1).integers(90, 110, (150, 200, 1), dtype=np.uint8).repeat(3, 2)
    return list(emoji.scenes([grey], shapes(), number, seed, **how))


def test_the_same_seed_gives_the_same_images():
    first, again, other = scenes(seed=3), scenes(seed=3), scenes(seed=4)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.image, b.image) and np.array_equal(a.masks, b.masks)
    assert not any(np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))


def test_masks_and_boxes_are_exact():
    found = scenes(40)
    assert {len(scene.labels) for scene in found} == {1, 2, 3, 4}
    for scene in found:
        assert scene.image.shape == (96, 96, 3) and scene.image.dtype == scene.classes.dtype == np.uint8
        assert scene.masks.sum(0).max() <= 1  # nothing overlaps
        for mask, label, (x1, y1, x2, y2) in zip(scene.masks, scene.labels, scene.boxes, strict=True):
            error = np.abs(scene.image.astype(int) - COLOURS[label]).max(-1)
            alike = scene.masks[scene.labels == label].any(0)  # at the rim, colour and photo are blended half and half
            assert error[alike].max() < 90 and error[~alike].min() > 60
            assert mask[y1:y2, x1:x2].sum() == mask.sum()
            assert all(mask[y1:y2, x1:x2].any(axis)[[0, -1]].all() for axis in (0, 1))
            assert 16 <= max(x2 - x1, y2 - y1) <= 44
            assert (scene.classes[mask] == label + 1).all()
        assert ((scene.classes == 0) == ~scene.masks.any(0)).all()


def test_run_lengths():
    mask = np.array([[0, 1, 1], [0, 0, 1]], dtype=bool)
    assert emoji.run_lengths(mask) == [2, 1, 1, 2]
    assert emoji.run_lengths(~mask) == [0, 2, 1, 1, 2]
    assert emoji.run_lengths(np.zeros((2, 3), dtype=bool)) == [6]


def test_coco_is_what_pycocotools_reads(tmp_path):
    found = scenes()
    emoji.write_coco(tmp_path, "test", iter(found))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(tmp_path / "annotations" / "instances_test.json")
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == list(emoji.CLASSES)
    for scene, image in zip(found, coco.loadImgs(coco.getImgIds()), strict=True):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "test" / image["file_name"])), scene.image)
        annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
        assert [a["category_id"] - 1 for a in annotations] == scene.labels.tolist()
        for annotation, mask, box in zip(annotations, scene.masks, scene.boxes, strict=True):
            assert np.array_equal(coco.annToMask(annotation), mask) and annotation["area"] == mask.sum()
            assert annotation["bbox"] == [*box[:2], *(box[2:] - box[:2])]


def test_masks_are_class_numbers(tmp_path):
    found = scenes()
    emoji.write_masks(tmp_path, "train", iter(found))
    assert (tmp_path / "classes.txt").read_text().split() == ["background", *emoji.CLASSES]
    for i, scene in enumerate(found):
        mask = Image.open(tmp_path / "train" / "masks" / f"{i:05}.png")
        assert mask.mode == "L" and np.array_equal(np.asarray(mask), scene.classes)
        assert np.array_equal(np.asarray(Image.open(tmp_path / "train" / "images" / f"{i:05}.png")), scene.image)


def test_the_foreground_is_one_class(tmp_path):
    found = scenes()
    emoji.write_foreground(tmp_path, "train", iter(found))
    assert (tmp_path / "classes.txt").read_text().split() == ["background", "emoji"]
    for i, scene in enumerate(found):
        mask = np.asarray(Image.open(tmp_path / "train" / "masks" / f"{i:05}.png"))
        assert np.array_equal(mask, scene.classes > 0)


def test_voc_counts_from_one(tmp_path):
    found = scenes()
    emoji.write_voc(tmp_path, "train", iter(found))
    names = (tmp_path / "ImageSets/Main/train.txt").read_text().split()
    for name, scene in zip(names, found, strict=True):
        root = ElementTree.parse(tmp_path / "Annotations" / f"{name}.xml").getroot()
        assert (tmp_path / "JPEGImages" / root.findtext("filename")).exists()
        assert [root.findtext(f"size/{side}") for side in ("width", "height", "depth")] == ["96", "96", "3"]
        assert [item.findtext("name") for item in root.iter("object")] == [emoji.CLASSES[i] for i in scene.labels]
        boxes = [[int(b.findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax")] for b in root.iter("bndbox")]
        assert boxes == np.add(scene.boxes, [1, 1, 0, 0]).tolist()


def test_folder_of_classes(tmp_path):
    found = scenes(20, **emoji.ONE)
    emoji.write_classes(tmp_path, "test", iter(found))
    assert {path.name for path in (tmp_path / "test").iterdir()} == set(emoji.CLASSES)
    paths = sorted((tmp_path / "test").glob("*/*.png"), key=lambda path: path.name)
    assert [path.parent.name for path in paths] == [emoji.CLASSES[scene.labels[0]] for scene in found]
    assert Image.open(paths[0]).size == (64, 64)


@pytest.mark.slow
def test_the_real_ones(monkeypatch):
    """Downloads the packages once; the emoji of the test part are no others' namesakes."""
    monkeypatch.syspath_prepend("benchmarks")
    found = emoji.material()
    assert (len(found.train), len(found.test), len(found.photos)) == (736, 184, 6)
    assert not {e.name for e in found.train} & {e.name for e in found.test}
    assert {e.label for e in found.train} == {e.label for e in found.test} == set(range(5))
    assert all(min(e.picture.size) > 20 for e in found.train)
