"""Readers: one file for each kind of source. They say what they skipped and never guess in silence."""
