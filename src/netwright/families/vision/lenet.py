"""LeNet-5 as it is taught: two convolutions with poolings, three fully connected layers."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Tanh

from netwright.blocks.downsample import MeanDownsample
from netwright.blocks.padding import pad_to
from netwright.blocks.slots import Activation

__all__ = ["PRESETS", "LeNet"]


class LeNet(nn.Module):
    """Convolution, pooling, convolution, pooling, three fully connected layers: for digits of 32 × 32 pixels.

    Smaller images lie in the middle of a field of 32 × 32 zeros, as digits of 28 pixels did; of larger ones the last
    map is averaged to 5 × 5. The convolutions are not padded but in `features`, whose maps keep to their strides.
    `LeNet1998` is the network as first published.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the maps of the two convolutions and the last pooling,
    (B, channels[i], ⌊H / strides[i]⌋, ⌊W / strides[i]⌋), at least one pixel.
    Source: LeCun et al. 1998, Gradient-based learning applied to document recognition (Proc. IEEE 86), fig. 2.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, activation: Activation = Tanh):
        super().__init__()
        self.conv1, self.act1 = nn.Conv2d(in_channels, 6, 5), activation()
        self.conv2, self.act2 = nn.Conv2d(6, 16, 5), activation()
        self.pool = MeanDownsample()
        self.channels, self.strides = [6, 16, 16], [1, 2, 4]

        self.resize = nn.AdaptiveAvgPool2d(5)
        self.fc1, self.act3 = nn.Linear(16 * 5 * 5, 120), activation()
        self.fc2, self.act4 = nn.Linear(120, 84), activation()
        self.head = nn.Linear(84, num_classes)
        self.classifier = ("resize", "fc1", "act3", "fc2", "act4", "head")

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → (B, 6, H, W), (B, 16, ⌊H / 2⌋, ⌊W / 2⌋), (B, 16, ⌊H / 4⌋, ⌊W / 4⌋)."""
        first = self.act1(self.conv1(F.pad(x, (2, 2, 2, 2))))
        second = self.act2(self.conv2(F.pad(self.pool(first), (2, 2, 2, 2))))
        return [first, second, self.pool(second)]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.pool(self.act1(self.conv1(pad_to(x, 32))))  # (B, 6, 14, 14), of an image of 32 × 32 pixels
        x = self.pool(self.act2(self.conv2(x)))  # (B, 16, 5, 5)
        if x.shape[-2:] != (5, 5):
            x = self.resize(x)
        x = self.act3(self.fc1(x.flatten(1)))
        return self.head(self.act4(self.fc2(x)))


PRESETS: dict[str, dict] = {
    "5": {
        "args": {},
        "params": 61706,
        "source": "LeCun et al. 1998 (Proc. IEEE 86), fig. 2, every map connected, softmax behind the last layer",
        "inputs": {"num_classes": 10, "in_channels": 1},
    },
}
