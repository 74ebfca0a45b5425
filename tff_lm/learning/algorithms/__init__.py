"""Federated algorithms, one file each: what a client does, what is shared, what the server does."""
