"""The same scenes in each format of detection are read alike; what is wrong in a file is said."""

import importlib
import json
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from PIL import Image

from netwright.data.boxes import semantic_mask
from netwright.data.readers.coco import decompress, fill, from_runs, mask_of, read_coco
from netwright.data.readers.voc import read_voc
from netwright.errors import InputError

LABELS = ["cat", "dog", "owl"]
SIZES = [(20, 30), (33, 21), (16, 16)]
BOXES = [[("dog", (2, 3, 12, 15)), ("cat", (0, 0, 30, 20))], [("owl", (5, 6, 20, 33))], []]


def write_images(folder):
    folder.mkdir(parents=True)
    for number, (height, width) in enumerate(SIZES):
        Image.new("RGB", (width, height), (number, 0, 0)).save(folder / f"{number}.png")


def write_coco(root):
    write_images(root / "images")
    things = []
    for image, boxes in enumerate(BOXES):
        for label, (x1, y1, x2, y2) in boxes:
            polygon = [x1, y1, x2, y1, x2, y2, x1, y2]
            things.append(
                {"id": len(things), "image_id": 10 + image, "category_id": 5 * LABELS.index(label) + 3, "iscrowd": 0,
                 "bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": [polygon]}
            )  # fmt: skip
    content = {
        "images": [{"id": 10 + n, "file_name": f"{n}.png", "height": h, "width": w} for n, (h, w) in enumerate(SIZES)],
        "categories": [{"id": 5 * code + 3, "name": label} for code, label in reversed(list(enumerate(LABELS)))],
        "annotations": things,
    }
    (root / "instances.json").write_text(json.dumps(content))
    return content


def write_voc(root):
    write_images(root / "JPEGImages")
    (root / "Annotations").mkdir()
    for number, ((height, width), boxes) in enumerate(zip(SIZES, BOXES, strict=True)):
        tree = Xml.Element("annotation")
        Xml.SubElement(tree, "filename").text = f"{number}.png"
        size = Xml.SubElement(tree, "size")
        Xml.SubElement(size, "width").text, Xml.SubElement(size, "height").text = str(width), str(height)
        for label, (x1, y1, x2, y2) in boxes:
            item = Xml.SubElement(tree, "object")
            Xml.SubElement(item, "name").text = label
            Xml.SubElement(item, "difficult").text = "0"
            box = Xml.SubElement(item, "bndbox")
            for side, value in (("xmin", x1 + 1), ("ymin", y1 + 1), ("xmax", x2), ("ymax", y2)):
                Xml.SubElement(box, side).text = str(value)
        (root / "Annotations" / f"{number}.xml").write_bytes(Xml.tostring(tree))


def test_the_same_scenes_are_read_alike_from_each_format(tmp_path):
    write_coco(tmp_path / "coco")
    write_voc(tmp_path / "voc")
    coco, voc = read_coco(tmp_path / "coco" / "instances.json"), read_voc(tmp_path / "voc")
    assert coco.labels == voc.labels == LABELS and len(coco) == len(voc) == 3
    assert coco.notes == voc.notes == ["1 images have no box: 2.png."]
    for one, other, (height, width), boxes in zip(coco.scenes, voc.scenes, SIZES, BOXES, strict=True):
        assert (one.height, one.width) == (other.height, other.width) == (height, width)
        wanted = np.array([box for _, box in boxes], np.float32).reshape(-1, 4)
        for scene in (one, other):
            np.testing.assert_array_equal(scene.boxes, wanted)
            assert [LABELS[code] for code in scene.labels] == [label for label, _ in boxes]
            assert not scene.crowd.any() and not scene.difficult.any()
            assert Image.open(scene.path).size == (width, height)
        for mask, (_, (x1, y1, x2, y2)) in zip(one.masks, boxes, strict=True):
            box = np.zeros((height, width), bool)
            box[y1:y2, x1:x2] = True
            np.testing.assert_array_equal(mask, box)
        assert other.masks == [None] * len(boxes)


def test_smaller_things_lie_on_larger_ones_and_crowds_have_no_class(tmp_path):
    write_coco(tmp_path)
    scene = read_coco(tmp_path / "instances.json").scenes[0]
    codes = semantic_mask(scene)
    assert codes[5, 5] == LABELS.index("dog") + 1 and codes[18, 25] == LABELS.index("cat") + 1
    scene.crowd[0] = True
    assert semantic_mask(scene)[5, 5] == 255
    scene.masks[0] = None
    scene.crowd[0] = False
    assert semantic_mask(scene)[5, 5] == 255


def test_polygons_are_filled_by_the_centres_of_pixels():
    triangle = np.array([[0, 0], [10, 0], [0, 10]], float)
    ys, xs = np.mgrid[:10, :10] + 0.5
    np.testing.assert_array_equal(fill([triangle], 10, 10), xs + ys < 10)
    hole = np.array([[0, 0], [8, 0], [8, 8], [0, 8], [0, 0], [2, 2], [2, 6], [6, 6], [6, 2], [2, 2]], float)
    found = fill([hole], 9, 9)
    assert found.sum() == 64 - 16 and not found[4, 4]
    with pytest.raises(ValueError, match="three corners"):
        fill([triangle[:2]], 10, 10)


def test_run_lengths_go_down_the_columns():
    mask = np.zeros((4, 3), bool)
    mask[1:3, 0] = mask[0, 2] = True
    np.testing.assert_array_equal(from_runs([1, 2, 5, 1, 3], 4, 3), mask)
    np.testing.assert_array_equal(mask_of({"size": [4, 3], "counts": [1, 2, 5, 1, 3]}, 4, 3), mask)
    assert mask_of(None, 4, 3) is None and mask_of([], 4, 3) is None


def compress(counts):
    """COCO's text of run lengths, as its own code writes it."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            code = value & 0x1F
            value >>= 5
            more = value != -1 if code & 0x10 else value != 0
            text += chr((code | 0x20 if more else code) + 48)
    return text


@pytest.mark.parametrize("seed", range(5))
def test_compressed_run_lengths_come_back(seed):
    counts = np.random.default_rng(seed).integers(0, 5000, 40).tolist()
    assert decompress(compress(counts)) == counts
    assert decompress(compress(counts).encode()) == counts


def test_compressed_run_lengths_are_those_of_pycocotools():
    tools = importlib.import_module("pycocotools.mask")
    mask = np.random.default_rng(0).random((37, 23)) > 0.6
    stored = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    np.testing.assert_array_equal(mask_of({"size": [37, 23], "counts": stored["counts"]}, 37, 23), mask)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["annotations"][0].update(image_id=99), "there is no image 99"),
        (lambda c: c["annotations"][0].update(category_id=99), "there is no category 99"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), "is incomplete"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 0, 5]), "has no area"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 300, 5]), "lies outside the 30 × 20 pixels"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [2, 2], "counts": [4]}), "not the image's"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2, 3]]), "can't be read"),
        (lambda c: c["images"][1].update(file_name="gone.png"), "there is no image gone.png"),
        (lambda c: c["images"][1].update(file_name="../../gone.png"), "there is no image ../../gone.png"),
        (lambda c: c["images"][0].pop("height"), "height is missing"),
        (lambda c: c.pop("categories"), "no COCO file"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_coco_file(tmp_path, change, said):
    content = write_coco(tmp_path)
    change(content)
    (tmp_path / "instances.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_coco(tmp_path / "instances.json")
    assert said in str(caught.value) and "instances.json" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<xmin>3</xmin>", "<xmin>x</xmin>", "incomplete"),
        ("<xmin>3</xmin>", "<xmin>30</xmin>", "has no area"),
        ("<ymax>15</ymax>", "<ymax>99</ymax>", "lies outside"),
        ("<name>dog</name>", "", "it has no name"),
        ("<width>30</width>", "<width>31</width>", "it says 31 × 20 pixels"),
        ("0.png", "gone.png", ""),
        ("</annotation>", "", "it is no XML"),
        ("<annotation>", '<!DOCTYPE a [<!ENTITY b "c">]><annotation>', "defines entities"),
    ],
)
def test_what_is_wrong_in_a_voc_file(tmp_path, old, new, said):
    write_voc(tmp_path)
    file = tmp_path / "Annotations" / "0.xml"
    file.write_text(file.read_text().replace(old, new))
    if not said:  # by the XML file's own name it is found
        assert read_voc(tmp_path).scenes[0].path.endswith("0.png")
        return
    with pytest.raises(InputError) as caught:
        read_voc(tmp_path)
    assert said in str(caught.value) and "0.xml" in str(caught.value)


def test_classes_of_the_persons_own_list(tmp_path):
    write_voc(tmp_path)
    assert read_voc(tmp_path, labels=["owl", "dog", "cat"]).scenes[1].labels.tolist() == [0]
    with pytest.raises(InputError, match="'cat' is no class of the list"):
        read_voc(tmp_path, labels=["owl", "dog"])


def test_parts_of_a_voc_folder_and_coco_files_beside_their_images(tmp_path):
    write_voc(tmp_path / "voc")
    lists = tmp_path / "voc" / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("1\n0\n")
    assert [len(scene.boxes) for scene in read_voc(tmp_path / "voc", "train", LABELS).scenes] == [1, 2]
    with pytest.raises(InputError, match="the parts are train"):
        read_voc(tmp_path / "voc", "test")
    (lists / "train.txt").write_text("7\n")
    with pytest.raises(InputError, match="file: 7"):
        read_voc(tmp_path / "voc", "train")
    write_coco(tmp_path / "coco")
    (tmp_path / "coco" / "annotations").mkdir()
    (tmp_path / "coco" / "instances.json").rename(tmp_path / "coco" / "annotations" / "instances_train.json")
    (tmp_path / "coco" / "images").rename(tmp_path / "coco" / "train")
    assert len(read_coco(tmp_path / "coco" / "annotations" / "instances_train.json")) == 3
