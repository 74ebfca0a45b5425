"""What changes a client's update before it is encoded: one file a transform (see `parts`)."""
