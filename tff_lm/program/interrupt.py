"""Ctrl-C, SIGTERM, a closed terminal: end after the round, with a checkpoint; twice: at once."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType, TracebackType
from typing import Any

_STOPPING = "\nstopping after this round, with a checkpoint (again: stop at once)"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal ends the program. Like KeyboardInterrupt, not an Exception: nothing may swallow it.

    Attributes: exit_code: 128 plus the signal's number, as shells report it.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


class Interrupts:
    """Turns signals into `Interrupted`, at a moment that suits the program.

    Inside `with Interrupts() as interrupts:` a signal raises at once (while things are being set
    up there is nothing to save) until `defer()` is called. From then on the first one is only
    noted, for the loop to `raise_if_requested()` after it saved its round; the second raises at
    once.
    """

    def __init__(self) -> None:
        self._requested: int | None = None
        self._deferred = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def requested(self) -> bool:
        """Whether a signal waits for the round to end."""
        return self._requested is not None

    def defer(self) -> None:
        """From now on the first signal waits for `raise_if_requested`."""
        self._deferred = True

    def raise_at_once(self) -> None:
        """From now on a signal raises at once; one that waits does so now."""
        self._deferred = False
        self.raise_if_requested()

    def raise_if_requested(self) -> None:
        """Raises the Interrupted that waits, if any."""
        if self._requested is not None:
            raise Interrupted(self._requested)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._deferred or self._requested is not None:
            raise Interrupted(number)
        self._requested = number
        # A terminal or a pipe that is closed takes no message: that must not cost the round.
        with contextlib.suppress(OSError):
            print(_STOPPING, flush=True)
