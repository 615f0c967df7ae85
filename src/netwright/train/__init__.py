"""Training: the loop, what it watches, resuming, and the competition between candidates."""
