"""Where annotated images lie in a folder: their files, part by part, and the classes that they use."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from netwright.data.boxes import Scenes
from netwright.data.checks import listing, nearest
from netwright.data.readers.coco import read_coco
from netwright.data.readers.images import TEST, TRAIN, VALIDATION
from netwright.errors import InputError

PARTS = {"train": (*TRAIN, "trainval"), "validation": VALIDATION, "test": TEST}
COCO_WORDS = ('"images"', '"annotations"', '"categories"')

Read = Callable[[], Scenes]
Files = Callable[[Path], dict[str, list[Read]]]
"""What there is to read in a folder itself, by part; "train" where nothing says which."""


def parts_of(path: Path, files: Files) -> dict[str, list[Read]]:
    """What there is to read of each part, in the folder or in those that are called after a part."""
    if not path.is_dir():
        return {}
    found = files(path)
    if found:
        return found
    for sub in sorted(sub for sub in path.iterdir() if sub.is_dir()):
        part = part_of(sub.name)
        inner = [read for reads in files(sub).values() for read in reads] if part else []
        if part and inner:
            found.setdefault(part, []).extend(inner)
    return found


def read_parts(path: Path, files: Files, notes: list[str]) -> tuple[list[Scenes], list[Scenes]]:
    """What is learned from and what is kept for the test; nothing of either where there are no files."""
    found = {part: [read() for read in reads] for part, reads in parts_of(path, files).items()}
    if found and "train" not in found:  # nothing but a test part: all that there is
        found = {"train": [scenes for every in found.values() for scenes in every]}
    if "validation" in found:
        notes.append("The parts for training and validation are used together; a validation part is drawn from both.")
    tested = found.get("test", [])
    if tested:
        notes.append(f"The {sum(map(len, tested)):,} images of the test part are kept for the test.")
    return [*found.get("train", []), *found.get("validation", [])], tested


def classes_used(every: list[Scenes], labels: Sequence[str] | None, where: str, notes: list[str]) -> list[str]:
    """The classes that have a box, in their order; InputError at one that is none of `labels`."""
    used = {scenes.labels[code] for scenes in every for scene in scenes.scenes for code in scene.labels.tolist()}
    if labels is not None:
        strange = sorted(used - set(labels))
        if strange:
            raise InputError(
                f"{strange[0]!r} is no class of the data{nearest(strange[0], list(labels))}",
                where=where,
                fix=f"the classes are {listing(labels)}",
            )
        return list(labels)
    if not used:
        raise InputError("no image has a box", where=where, fix="annotate some objects first")
    named = list(dict.fromkeys(label for scenes in every for label in scenes.labels))
    without = [label for label in named if label not in used]
    if without:
        notes.append(f"{len(without)} classes have no box and are left out: {listing(without, 5)}.")
    return [label for label in named if label in used]


def check_size(path: str, size: Sequence[int], said: Sequence[int], where: str) -> None:
    """InputError where an image's height and width are not those that its annotation says."""
    if tuple(size) != tuple(said):
        raise InputError(
            f"{path} has {size[1]} × {size[0]} pixels, its annotation says {said[1]} × {said[0]}",
            where=where,
            fix="correct the size, or give the image that was annotated, saved as it is to be seen",
        )


def coco_files(path: Path, masks: bool) -> dict[str, list[Read]]:
    """JSON files in the folder or in its annotations/; their names may end in the part: instances_val2017.json."""
    found: dict[str, list[Read]] = {}
    for home in (path / "annotations", path):
        files = sorted(home.glob("*.json")) if home.is_dir() else []
        for file in filter(_is_coco, files):
            part = part_of(file.stem.rpartition("_")[2]) or "train"
            found.setdefault(part, []).append(partial(read_coco, file, masks=masks))
        if found:
            break
    return found


def _is_coco(file: Path) -> bool:
    if file.name[0] == ".":
        return False
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return all(word in text for word in COCO_WORDS)


def voc_lists(path: Path, kind: str) -> dict[str, list[Path]]:
    """Pascal VOC's lists of images of each part, ImageSets/KIND/train.txt and so on; trainval in place of its parts."""
    lists = {file.stem: file for file in sorted((path / "ImageSets" / kind).glob("*.txt"))}
    if "trainval" in lists:
        lists.pop("train", None)
        lists.pop("val", None)
    found: dict[str, list[Path]] = {}
    for stem, file in lists.items():
        part = part_of(stem)
        if part:
            found.setdefault(part, []).append(file)
    return found if "train" in found else {}


def part_of(name: str) -> str | None:
    """The part that a name such as train, val2017 or test stands for."""
    word = name.lower().rstrip("0123456789")
    return next((part for part, words in PARTS.items() if word in words), None)
