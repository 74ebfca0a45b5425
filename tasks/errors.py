"""The one error that a user of `tasks` can cause."""

import difflib
from collections.abc import Iterable


class TaskError(ValueError):
    """Bad input to a task: one line that names the thing and says what to do about it."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> TaskError:
    """A `TaskError` for a name that is not among `known`, with the nearest ones.

    Args:
      kind: What the name names, such as "task" or "split".
      name: The name that was given.
      known: The names that would have been right.

    Returns:
      The error, to be raised by the caller.
    """
    known = [str(each) for each in known]
    nearest = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if nearest:
        return TaskError(f"unknown {kind} {name!r}; did you mean {' or '.join(nearest)}?")
    shown = ", ".join(sorted(known)[:10]) + (", ..." if len(known) > 10 else "")
    return TaskError(f"unknown {kind} {name!r}; known: {shown or 'none'}")
