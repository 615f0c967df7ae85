"""Published weights of torchvision, timm, transformers and others, loaded into our families.

    model = nw.build("mobilenetv2:x1_0")
    loaded = load_into(model, "mobilenet_v2-b0353104.pth")  # a file, a folder, or a hub id "timm/…"
    print(loaded)                                           # the publisher, what was adapted, what left out
    loaded.input                                            # mean, deviation, size: how an image becomes the input
    loaded.classes[model(x).argmax()]                       # of ImageNet-1k here
    publishers()                                            # whose weights each family takes

`load` gives the tensors alone. A new family needs one file of key maps in `weights/maps/`.
"""

from netwright.weights.input import Input, class_names
from netwright.weights.load import input_of, load
from netwright.weights.published import available, publishers
from netwright.weights.transfer import Loaded, load_into, match

__all__ = ["Input", "Loaded", "available", "class_names", "input_of", "load", "load_into", "match", "publishers"]
