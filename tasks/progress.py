"""Progress lines on standard error, where that is a terminal."""

from collections.abc import Iterable
from typing import TypeVar

_Item = TypeVar("_Item")


def with_progress(
    items: Iterable[_Item], description: str, show: bool, *, unit: str, total: int | None = None
) -> Iterable[_Item]:
    """The items, behind a progress line.

    Args:
      items: Iterated once.
      description: What is being done.
      show: Whether to show it, if standard error is a terminal.
      unit: Of what there are `total`, with the space before it.
      total: How many items there are; by default their length.
    """
    import tqdm

    # None: tqdm looks at the stream itself, so that no bar goes into a file.
    hidden = None if show else True
    return tqdm.tqdm(items, desc=description, unit=unit, total=total, disable=hidden, leave=False)
