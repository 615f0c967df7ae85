"""Tables, x_num (B, F) and x_cat (B, C) → (B, num_classes)."""
