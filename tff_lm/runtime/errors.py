"""What can go wrong in the runtime, told apart by what a caller can do about it."""

from collections.abc import Mapping

import numpy as np


class WorkerLostError(Exception):
    """A worker no longer answers (killed, crashed, network gone): its values are lost; retry on another."""


class ComputationError(Exception):
    """A computation failed inside a healthy worker: retrying would fail again."""


class WorkerStartError(Exception):
    """A worker could not be started; the message names its log."""


class RuntimeFailure(Exception):
    """Workers kept dying and the round was given up.

    Attributes:
        round_number: Rounds that were completed since `initialize` or `restore` when the state below was copied.
        state: The last server state held outside the workers, as `ResidentProcess.state_arrays` gives it, to be
            written to a checkpoint; None if no state was ever copied.
    """

    def __init__(self, message: str, round_number: int, state: Mapping[str, np.ndarray] | None):
        super().__init__(message)
        self.round_number = round_number
        self.state = state
