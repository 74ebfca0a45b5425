"""What can go wrong in the runtime, told apart by what a caller can do about it."""

from collections.abc import Mapping

import numpy as np


class WorkerLostError(Exception):
    """A worker no longer answers (killed, crashed, network gone).

    Its values are lost; what it did can be done again on another worker.
    """


class ComputationError(Exception):
    """A computation failed inside a healthy worker: it would fail again."""


class WorkerStartError(Exception):
    """A worker could not be started; the message names its log."""


class RuntimeFailure(Exception):  # noqa: N818 -- an outcome of a run, not a mistake in it
    """Workers kept dying and the round was given up.

    Attributes:
        rounds: Rounds completed since `initialize` or `restore` when the state below was copied.
        state: The last server state held outside the workers, as `ResidentProcess.state_arrays`
            gives it, to be written to a checkpoint; None if no state was ever copied.
    """

    def __init__(self, message: str, rounds: int, state: Mapping[str, np.ndarray] | None):
        super().__init__(message)
        self.rounds = rounds
        self.state = state
