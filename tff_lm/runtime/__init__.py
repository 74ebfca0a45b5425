"""Where federated computations run: worker processes, and server state that stays in them."""
