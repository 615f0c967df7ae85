"""A few images of coloured rectangles on noise, easy enough to be learnt by heart."""

import torch
from torch import Tensor

COLOURS = torch.tensor([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]])


def rectangles(number: int, size: int, seed: int = 0) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Images (N, 3, size, size) with one to three rectangles, the colour being the class, and their truth."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.2 * torch.randn(number, 3, size, size, generator=generator)
    targets = []
    for image in images:
        quadrants = torch.randperm(4, generator=generator)[: int(torch.randint(1, 4, (1,), generator=generator))]
        half, boxes, labels = size // 2, [], []
        for quadrant in quadrants.tolist():
            sides = torch.randint(size // 5, half, (2,), generator=generator)
            corner = (torch.rand(2, generator=generator) * (half - sides)).long()
            x, y = (corner + half * torch.tensor([quadrant % 2, quadrant // 2])).tolist()
            width, height = sides.tolist()
            label = int(torch.randint(3, (1,), generator=generator))
            image[:, y : y + height, x : x + width] += COLOURS[label][:, None, None]
            boxes.append([x, y, x + width, y + height])
            labels.append(label)
        targets.append({"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.tensor(labels)})
    return images, targets
