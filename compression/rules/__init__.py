"""How the updates of clients are combined: one file a rule (see `compression.parts`)."""
