"""Images (B, C, H, W) → boxes with classes, and what each detector promises.

- `forward(images)` → for each image a dict: `boxes` (N, 4), corners x1 y1 x2 y2 in pixels of the image given,
  inside it; `scores` (N,) from 1 down to 0, best first; `labels` (N,), whole numbers from 0 to `num_classes` − 1:
  the background is no class. Networks for instances add `masks` (N, H, W), the probability of each pixel.
- `losses(images, targets)` → a dict of scalars, whose sum is what training minimises. A target is a dict with
  `boxes` (M, 4) and `labels` (M,) as above, and `masks` (M, H, W) of zeros and ones where masks are learned;
  M may be 0.
- `raw(images)` → a tuple of tensors, the outputs of the heads before any choice among boxes: their shapes
  depend on the shape of the images alone, so that `raw` runs on the meta device, compiled and exported.

Images of one batch have one size; the data pipeline scales, pads and normalises them.
"""
