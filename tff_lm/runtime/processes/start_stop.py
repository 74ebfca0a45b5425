"""What is started on entry of a `with` block and stopped on its exit."""

import abc
import types
from typing import Self


class StartStop(abc.ABC):
    """A context manager by way of `start` and `stop`."""

    @abc.abstractmethod
    def start(self) -> None:
        """Starts it; does nothing if it runs."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Ends it; does nothing if it does not run."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.stop()
