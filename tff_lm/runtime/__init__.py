"""Where federated computations run: worker processes and the server state that stays inside them."""
