"""Masks that are drawn from the outlines of COCO's JSON."""

import json

import numpy as np
import pytest
from PIL import Image

from netwright.data import load, profile
from netwright.errors import InputError

from . import boxed


@pytest.fixture
def folder(tmp_path):
    return boxed.outline(boxed.write_coco(tmp_path / "shapes"))


def edit(folder, change, name="instances.json"):
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))


def test_each_pixel_has_the_class_of_its_object(folder):
    dataset = load(folder, task="segmentation")
    found = profile(dataset, task="segmentation")
    assert dataset.modality == found.task == "segmentation" and len(dataset) == 24
    assert found.target["labels"] == ["background", "disc", "square"] and dataset.classes.background
    content = json.loads((folder / "instances.json").read_text())
    for row, path in enumerate(dataset.target):
        mask = np.asarray(Image.open(path))
        image = np.asarray(Image.open(dataset.inputs[row])).astype(int)
        red, blue = ((abs(image - colour).max(-1) == 0) for colour in ((230, 60, 50), (50, 90, 230)))
        assert set(np.unique(mask)) == {0} | {t["category_id"] for t in content["annotations"] if t["image_id"] == row}
        painted = (mask > 0) == (red | blue)  # the colour says that a pixel is an object's, the outline which one's
        assert painted.all()
        assert dataset.pixels[row].tolist() == np.bincount(mask.ravel(), minlength=3).tolist()


def test_boxes_are_taken_unless_asked_and_it_is_said(folder):
    dataset = load(folder)
    assert dataset.modality == "detection" and any("--task segmentation" in note for note in dataset.notes)


def test_parts_have_the_classes_of_the_data(tmp_path):
    """The files' categories may be numbered in other ways, and a part may lack one."""
    folder = tmp_path / "coco"
    for seed, part in enumerate(("train", "test")):
        boxed.outline(boxed.write_coco(folder, seed=seed, name=part), f"annotations/instances_{part}.json")

    def other_numbers(content):
        content["categories"] = [{"id": 7, "name": "square"}, {"id": 9, "name": "disc"}]
        for thing in content["annotations"]:
            thing["category_id"] = {1: 9, 2: 7}[thing["category_id"]]

    plain = load(folder, task="segmentation").test
    edit(folder, other_numbers, "annotations/instances_test.json")
    dataset = load(folder, task="segmentation")
    assert dataset.test is not None and len(dataset.test) == 24
    assert dataset.test.classes.labels == dataset.classes.labels == ["background", "disc", "square"]
    np.testing.assert_array_equal(dataset.test.pixels, plain.pixels)


def test_an_own_test_part(folder, tmp_path):
    other = boxed.outline(boxed.write_coco(tmp_path / "other", seed=1, count=6))
    dataset = load(folder, task="segmentation", test=other)
    assert len(dataset.test) == 6 and dataset.test.classes.labels == dataset.classes.labels
    edit(other, lambda content: content["categories"][0].update(name="dics"))
    with pytest.raises(InputError, match="'dics' is no class of the data"):
        load(folder, task="segmentation", test=other)


def test_what_has_no_outline_is_not_counted(folder):
    def some_lack_one(content):
        content["annotations"][0].pop("segmentation")
        content["annotations"][1]["iscrowd"] = 1

    edit(folder, some_lack_one)
    dataset = load(folder, task="segmentation")
    assert any("1 objects have no outline" in note for note in dataset.notes)
    content = json.loads((folder / "instances.json").read_text())
    rows = {thing["image_id"] for thing in content["annotations"][:2]}
    for row, path in enumerate(dataset.target):
        assert (255 in np.asarray(Image.open(path))) is (row in rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: [t.pop("segmentation") for t in content["annotations"]], "boxes but no outlines"),
        (lambda content: content["annotations"][0].update(segmentation=[[1, 2]]), "its mask can't be read"),
        (
            lambda content: content["images"][0].update(height=31),
            r"not the image's, \[31, 32\]|annotation says 32 × 31",
        ),
        (
            lambda content: content["categories"].extend({"id": 9 + i, "name": f"more {i}"} for i in range(300)),
            "302 categories, too many for masks",
        ),
        (lambda content: content["annotations"].clear(), "no image has a box"),
    ],
)
def test_bad_outlines(folder, change, message):
    edit(folder, change)
    with pytest.raises(InputError, match=message):
        load(folder, task="segmentation")


def test_a_folder_without_masks_or_outlines(tmp_path):
    folder = boxed.write_voc(tmp_path / "voc", count=4)
    with pytest.raises(InputError, match="no images and masks"):
        load(folder, task="segmentation")
