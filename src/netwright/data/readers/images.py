"""Folders of images: one sub-folder for each class, perhaps under train/ and test/."""

import io
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from PIL import Image, UnidentifiedImageError

from netwright.data.checks import listing
from netwright.data.dataset import digest
from netwright.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TRAIN, VALIDATION, TEST = ("train", "training"), ("val", "valid", "validation"), ("test", "testing")
LAYOUT = "put the images of each class in a sub-folder with the class's name, for instance photos/cat/1.jpg"


@dataclass
class Folder:
    """Paths and their classes, what was seen of each file, and what was left out."""

    paths: list[str]
    labels: list[str]
    files: pd.DataFrame
    test: "Folder | None" = None
    notes: list[str] = field(default_factory=list)


def read_folder(path: Path) -> Folder:
    """A folder of classes, or of train/ and test/ with the classes in them. Every image is opened once."""
    subs = _folders(path)
    parts = {sub.name.lower(): sub for sub in subs}
    train = next((parts[name] for name in TRAIN if name in parts), None)
    test = next((parts[name] for name in TEST if name in parts), None)
    if train is None or (test is None and not any(name in parts for name in VALIDATION)):
        return _read_classes(path)
    folder = _read_classes(train)
    validation = next((parts[name] for name in VALIDATION if name in parts), None)
    if validation is not None:
        more = _read_classes(validation)
        folder.paths += more.paths
        folder.labels += more.labels
        folder.files = pd.concat([folder.files, more.files], ignore_index=True)
        folder.notes += more.notes
        folder.notes.append(
            f"{validation.name}/ is used together with {train.name}/; a validation part is drawn from both."
        )
    if test is not None:
        folder.test = _read_classes(test, one_class=True)
        folder.notes.append(f"{test.name}/ is the test part.")
    others = [sub.name for sub in subs if sub not in (train, validation, test)]
    if others:
        folder.notes.append(f"The folders {listing(others)} beside {train.name}/ are not used.")
    return folder


def _read_classes(path: Path, one_class: bool = False) -> Folder:
    """The images below each sub-folder; InputError where the layout is not one folder for each class."""
    subs = _folders(path)
    loose = sorted(f.name for f in path.iterdir() if f.suffix.lower() in SUFFIXES and _visible(f))
    if not subs:
        if loose:
            raise InputError(f"{len(loose):,} images but no class folders", where=str(path), fix=LAYOUT)
        tables = sorted(f.name for f in path.iterdir() if f.is_file() and _visible(f))
        raise InputError(
            f"there are no images; it holds {listing(tables, 5)}" if tables else "the folder is empty",
            where=str(path),
            fix=f"give one of these files, or {LAYOUT}" if tables else LAYOUT,
        )
    notes = []
    if loose:
        notes.append(f"{len(loose):,} images directly in {path.name}/ have no class and are not used.")
    found: dict[str, list[Path]] = {}
    skipped: list[str] = []
    for sub in subs:
        files = sorted(f for f in sub.rglob("*") if f.is_file())
        visible = [f for f in files if all(not part.startswith(".") for part in f.relative_to(sub).parts)]
        found[sub.name] = [f for f in visible if f.suffix.lower() in SUFFIXES]
        skipped += [str(f.relative_to(path)) for f in visible if f.suffix.lower() not in SUFFIXES]
        skipped += [str(f.relative_to(path)) for f in files if f not in set(visible)]
    empty = [name for name, files in found.items() if not files]
    if len(empty) == len(found):
        raise InputError(
            f"no images in any of its folders ({listing(empty)})",
            where=str(path),
            fix=f"images have one of the suffixes {', '.join(SUFFIXES)}",
        )
    if empty:
        raise InputError(
            f"no images in the class folder{'s' * (len(empty) > 1)} {listing(empty)}",
            where=str(path),
            fix="add images there, or remove the folder: every folder is a class",
        )
    if len(found) == 1 and not one_class:
        name = next(iter(found))
        inner = len(_folders(path / name)) > 1
        raise InputError(
            f"there is only one class, {name!r}",
            where=str(path),
            fix=f"give {path / name}, if its folders are the classes" if inner else LAYOUT,
        )
    if skipped:
        notes.append(f"{len(skipped):,} files are hidden or no images and are skipped: {listing(skipped, 5)}.")
    paths = [str(f) for files in found.values() for f in files]
    labels = [name for name, files in found.items() for _ in files]
    return Folder(paths, labels, look_at(paths, str(path)), None, notes)


def look_at(paths: list[str], where: str) -> pd.DataFrame:
    """Height, width, mode and digest of each image; InputError that names those that can't be decoded."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # pillow decodes outside the interpreter's lock
        seen = list(pool.map(_look, paths))
    bad = [(path, problem) for path, problem in zip(paths, seen, strict=True) if isinstance(problem, str)]
    if bad:
        shown = "".join(f"\n    {path}: {problem}" for path, problem in bad[:10])
        more = f"\n    … and {len(bad) - 10:,} more" if len(bad) > 10 else ""
        raise InputError(
            f"{len(bad):,} of {len(paths):,} images can't be read:{shown}{more}",
            where=where,
            fix="replace or delete these files",
        )
    return pd.DataFrame(seen, columns=["height", "width", "mode", "digest"])


def _look(path: str) -> tuple[int, int, str, int] | str:
    """Decode the whole image once, at the smallest scale that the format offers."""
    try:
        content = Path(path).read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            mode = image.mode
            if image.getexif().get(0x0112, 1) >= 5:  # orientations 5 … 8 turn the image by a quarter
                width, height = height, width
            if min(width, height) < 2:
                return f"it has only {width} × {height} pixels"
            if mode == "F":
                return "its pixels are floating-point numbers without a known range; save it with 8 or 16 bits"
            image.draft(mode, (32, 32))
            image.load()
    except UnidentifiedImageError:
        return "the file is empty" if not content else "this is not an image"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"truncated or damaged ({error})"
    return height, width, mode, digest(content)


def modes(files: pd.DataFrame) -> dict[str, int]:
    """How many images there are of each of pillow's modes, the most frequent first."""
    return dict(Counter(files["mode"]).most_common())


def _folders(path: Path) -> list[Path]:
    return sorted(sub for sub in path.iterdir() if sub.is_dir() and _visible(sub))


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "__"))
