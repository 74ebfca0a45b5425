"""Optimizers, one file each: of the clients, of the server, and Mime's base optimizer."""
