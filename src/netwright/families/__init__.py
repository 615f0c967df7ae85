"""The architectures of the literature, composed from blocks: one family a file, its paper's variants in PRESETS."""
