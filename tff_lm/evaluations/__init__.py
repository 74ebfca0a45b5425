"""Ways to measure a model on people's text: one file each, found by name in `registry`."""
