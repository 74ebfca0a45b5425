"""What it takes to get the server state back after the worker that held it has died.

The state lives in a worker. A copy of it is taken here now and then, and the orders of the
rounds since are kept: an order carries the run's seed and the round, so running those rounds
again from the copy gives the same state, bit for bit.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tff_lm.client_order import ClientOrder

State = Mapping[str, np.ndarray]

# A copy is taken once the rounds since the last one took this many times as long as a copy takes:
# copies then cost at most 1% of the time. A copy of 21M weights takes half a second, with Adam's
# moments 1.5: a worker that dies, which is rare, costs at most a minute or three.
_ROUND_SECONDS_PER_COPY_SECOND = 100.0


@dataclasses.dataclass
class StateKeeper:
    """The last copy of the state and the rounds since.

    Attributes:
        state: The copy, {leaf path: array}; None before the first.
        rounds_at_copy: Rounds completed when the copy was taken.
        replay: Orders of each round completed since.
    """

    state: State | None = None
    rounds_at_copy: int = 0
    replay: list[list[ClientOrder]] = dataclasses.field(default_factory=list)
    _copy_seconds: float = 0.0
    _round_seconds: float = 0.0

    @property
    def rounds(self) -> int:
        """Rounds completed."""
        return self.rounds_at_copy + len(self.replay)

    def copy(self, fetch: Callable[[], State]) -> State:
        """Takes a copy with `fetch`, unless the last one is current, and returns it."""
        if self.state is None or self.replay:
            start = time.monotonic()
            self.put(fetch(), self.rounds)
            self._copy_seconds = time.monotonic() - start
        assert self.state is not None
        return self.state

    def put(self, state: State, rounds: int) -> None:
        """Makes `state`, as of `rounds` completed rounds, the copy."""
        self.state, self.rounds_at_copy = state, rounds
        self.replay, self._round_seconds = [], 0.0

    def completed(self, orders: Sequence[ClientOrder], seconds: float) -> None:
        """Notes one more round, which took `seconds`."""
        self.replay.append(list(orders))
        self._round_seconds += seconds

    @property
    def copy_is_due(self) -> bool:
        """Whether the rounds since the last copy are worth the time of a new one."""
        return self._round_seconds > _ROUND_SECONDS_PER_COPY_SECOND * self._copy_seconds
