"""Recorded markets: readers of the outward file formats, the product's own tape, and the feed."""
