"""Reading people's own files: which of a folder, how they are decoded, and the rows in them."""
