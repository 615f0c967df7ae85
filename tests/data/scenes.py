"""Synthetic scenes with masks: discs (1) and squares (2) of random colours on noise (0)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def scene(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3) u8 and its class codes (H, W) u8."""
    image = Image.fromarray(rng.normal(110, 25, (height, width, 3)).clip(0, 255).astype(np.uint8))
    mask = Image.new("L", (width, height), 0)
    for code in rng.permutation([1, 2])[: rng.integers(1, 3)]:
        r = int(rng.integers(min(height, width) // 8, min(height, width) // 4))
        x, y = int(rng.integers(r, width - r)), int(rng.integers(r, height - r))
        shape = "ellipse" if code == 1 else "rectangle"
        tint = (230, 60, 50) if code == 1 else (50, 90, 230)
        getattr(ImageDraw.Draw(image), shape)([x - r, y - r, x + r, y + r], fill=tint)
        getattr(ImageDraw.Draw(mask), shape)([x - r, y - r, x + r, y + r], fill=int(code))
    return np.asarray(image), np.asarray(mask)


def write(folder: Path, count: int = 24, size: tuple[int, int] = (32, 32), seed: int = 0, names: bool = True) -> Path:
    """images/, masks/ and classes.txt."""
    rng = np.random.default_rng(seed)
    for sub in ("images", "masks"):
        (folder / sub).mkdir(parents=True)
    for number in range(count):
        image, mask = scene(rng, *size)
        Image.fromarray(image).save(folder / "images" / f"{number:03}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:03}.png")
    if names:
        (folder / "classes.txt").write_text("background\ndisc\nsquare\n")
    return folder
