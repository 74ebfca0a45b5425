"""Putting an experiment together: the one place where data, model, algorithm and runtime meet."""
