"""The failures that end a program with a line instead of a traceback, and that line."""

from __future__ import annotations

import sys

from tff_lm.run_folder.errors import RunError
from tff_lm.runtime.errors import ComputationError, RuntimeFailure, WorkerStartError

# Their messages say what to do.
FAILURES = (RunError, OSError, WorkerStartError, ComputationError, RuntimeFailure)


def explain(error: BaseException) -> int:
    """Says on stderr what failed and what to do about it; returns the exit code."""
    remedy = "; mend that and run the same command again" if isinstance(error, OSError) else ""
    print(f"error: {error}{remedy}", file=sys.stderr)
    return 1
