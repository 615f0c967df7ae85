"""Random true objects."""

import torch
from torch import Tensor


def truth(seed: int, num_images: int, num_classes: int, size: int) -> list[dict[str, Tensor]]:
    """Up to four boxes in each image; none in the last."""
    generator = torch.Generator().manual_seed(seed)
    targets = []
    for i in range(num_images):
        number = int(torch.randint(1, 5, (1,), generator=generator)) if i < num_images - 1 else 0
        corner = torch.rand(number, 2, generator=generator) * size * 0.6
        sides = (0.1 + 0.3 * torch.rand(number, 2, generator=generator)) * size
        labels = torch.randint(0, num_classes, (number,), generator=generator)
        targets.append({"boxes": torch.cat([corner, corner + sides], 1), "labels": labels})
    return targets
