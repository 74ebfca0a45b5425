"""A runtime whose runs begin with loaded weights; in all else it is the one it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tff_lm.program.contracts import Runtime
from tff_lm.warm_start import report
from tff_lm.warm_start.matching import Match


class WarmRuntime:
    """Implements `Runtime` around another one, federated or central."""

    def __init__(
        self,
        runtime: Runtime,
        match: Match,
        weight_leaves: Mapping[str, str],
        say: Callable[[str], None] = print,
    ) -> None:
        """Puts them together.

        Args:
          runtime: Computes.
          match: Which variables start with which values.
          weight_leaves: The name of each model weight -> the name of its array in the state.
          say: Is told what was loaded.
        """
        self._runtime, self._match = runtime, match
        self._weight_leaves, self._say = weight_leaves, say

    def initialize(self) -> None:
        """Makes the initial state, with the loaded weights in it."""
        self._runtime.initialize()
        arrays = self._runtime.state_arrays()
        shapes = {name: arrays[leaf].shape for name, leaf in self._weight_leaves.items()}
        for name in self._match.loaded:
            leaf = self._weight_leaves[name]
            arrays[leaf] = self._match.value(name, arrays[leaf])
        self._runtime.restore(arrays)
        self._say(report.table(self._match, shapes))

    def next(self, specs: Sequence[str], /) -> Any:
        """One round; see `Runtime`."""
        return self._runtime.next(specs)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """A copy of the state, by name."""
        return self._runtime.state_arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Puts a copied state back."""
        self._runtime.restore(arrays)
