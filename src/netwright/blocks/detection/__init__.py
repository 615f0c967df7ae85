"""What detectors are made of: boxes, anchors, matching, suppression, pooling of regions, heads and losses."""
