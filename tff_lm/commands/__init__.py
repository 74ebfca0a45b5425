"""What the programs of bin do, from checked flags to an exit code."""
