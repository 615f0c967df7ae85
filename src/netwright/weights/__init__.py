"""Published weights of torchvision, timm, transformers and others, loaded into our families.

    model = nw.build("mobilenetv2:x1_0")
    loaded = load_into(model, "mobilenet_v2-b0353104.pth")  # a file, a folder, or a hub id "timm/…"
    print(loaded)                                           # the publisher, what was adapted, what left out
    loaded.input                                            # mean, deviation, size: how an image becomes the input
    class_names()[model(x).argmax()]                        # of ImageNet-1k

`load` gives the tensors alone. A new family needs one file of key maps in `weights/maps/`.
"""

from netwright.weights.input import Input, class_names
from netwright.weights.load import input_of, load
from netwright.weights.transfer import Loaded, load_into

__all__ = ["Input", "Loaded", "class_names", "input_of", "load", "load_into"]
