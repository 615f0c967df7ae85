"""The pattern library: each recurring pattern once, in plain PyTorch.

What fits a slot of kind `k` (see `slots.py`) is what `blocks/k.py` or `blocks/k/` exports; the other files hold the
patterns that families share.
"""
