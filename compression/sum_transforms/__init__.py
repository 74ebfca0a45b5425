"""What changes the sum over clients before it is divided: one file a transform (see `parts`)."""
