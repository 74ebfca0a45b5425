"""Federated learning processes: local training, algorithms, partial training, evaluation."""
