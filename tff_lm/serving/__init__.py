"""A trained model for programs that know nothing of this one: a SavedModel of TensorFlow alone."""
