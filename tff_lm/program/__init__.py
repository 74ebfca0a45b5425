"""The training program: rounds, checkpoints, records and measurements around a learning process.

Start at `launch.train` (the order of things), `loop.train` (the rounds) and `experiment` (how all
packages are put together). Nothing in here builds a graph that is trained.
"""
