"""The training program: rounds, cohorts and measurements around a runtime.

Start at `loop.train`; `contracts` says what it needs of an experiment. No graph is built here.
"""
