"""A run's folder: its layout, its records, its checkpoints; nothing here knows TensorFlow."""
