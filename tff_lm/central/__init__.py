"""Central training: the same models on text in one place, for pre-training and as a yardstick."""
