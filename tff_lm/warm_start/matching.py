"""Which variable starts from which weight: by name and shape, and by vocabulary."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from tasks.vocabulary import Vocabulary
from tff_lm.config import ConfigError
from tff_lm.warm_start.sources import Source

# The variables with a row for each piece of the vocabulary.
_BY_PIECE = frozenset({"embedding/embeddings", "logits/bias"})

TRANSFER = "transfer"


@dataclasses.dataclass(frozen=True)
class Target:
    """The model that is to start.

    Attributes:
      shapes: Of its variables, by name.
      vocabulary: Of its task.
    """

    shapes: Mapping[str, tuple[int, ...]]
    vocabulary: Vocabulary


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of a source's variable, and where they go: int64[k] both, the rest stays fresh."""

    source: np.ndarray
    target: np.ndarray


@dataclasses.dataclass(frozen=True)
class Match:
    """What starts from what.

    Attributes:
      source: Where the weights are from.
      loaded: Names of the target's variables that take the source's values.
      skipped: The source's variables that nobody takes.
      rows: Which rows of a loaded variable; of one that is not named, all.
    """

    source: Source
    loaded: tuple[str, ...]
    skipped: tuple[str, ...]
    rows: Mapping[str, Rows]

    def value(self, name: str, initial: np.ndarray) -> np.ndarray:
        """The value that the loaded variable `name` starts with, given its initial one."""
        given = self.source.weights[name]
        if name not in self.rows:
            return given
        value = np.array(initial)
        value[self.rows[name].target] = given[self.rows[name].source]
        return value


def match(source: Source, target: Target, include: str, vocabulary: str) -> Match:
    """Finds the weight for each variable.

    Args:
      source: The weights.
      target: The model.
      include: Regular expression, found anywhere in the names of variables to load. If empty,
        whatever fits is loaded; else whatever it names must fit.
      vocabulary: "same", or "transfer": rows of pieces that both vocabularies hold are loaded.

    Raises:
      ConfigError: If vocabularies differ (under "same"), a variable that `include` names does not
        fit, or nothing does.
    """
    wanted = [name for name in target.shapes if re.search(include, name)]
    misfits = {name: why for name in wanted if (why := _misfit(name, source, target, vocabulary))}
    loaded = tuple(name for name in wanted if name not in misfits)
    if include and misfits:
        name, why = next(iter(misfits.items()))
        raise ConfigError(
            f"warm_start.include={include!r} names {name}, but {why} in {source.origin} "
            f"({len(misfits)} of {len(wanted)} do not fit); narrow it to what they share"
        )
    if not loaded:
        raise ConfigError(
            f"warm_start: nothing in {source.origin} fits this model"
            f"{f' and warm_start.include={include!r}' if include else ''}; its variables are "
            f"{', '.join(source.weights)}"
        )
    by_piece = [name for name in loaded if name in _BY_PIECE]
    if by_piece and source.vocabulary.hash != target.vocabulary.hash and vocabulary != TRANSFER:
        raise ConfigError(
            f"warm_start: {source.origin} has another vocabulary than this task; set "
            "task.vocabulary to that folder, or warm_start.vocabulary=transfer to keep the "
            "embeddings of the pieces in both, or leave the embedding out by warm_start.include"
        )
    rows = shared_rows(source.vocabulary, target.vocabulary) if vocabulary == TRANSFER else None
    return Match(
        source=source,
        loaded=loaded,
        skipped=tuple(name for name in source.weights if name not in loaded),
        rows=dict.fromkeys(by_piece, rows) if rows else {},
    )


def shared_rows(source: Vocabulary, target: Vocabulary) -> Rows:
    """The rows of the pieces that both vocabularies hold, in the target's order."""
    ids = {piece: index for index, piece in enumerate(source.pieces)}
    shared = [(ids[piece], index) for index, piece in enumerate(target.pieces) if piece in ids]
    return Rows(*np.array(shared, np.int64).T)


def _misfit(name: str, source: Source, target: Target, vocabulary: str) -> str:
    """Why the variable cannot be loaded, as the end of a sentence; "" if it can."""
    if name not in source.weights:
        return "there is none"
    given, wanted = source.weights[name].shape, target.shapes[name]
    if name in _BY_PIECE and vocabulary == TRANSFER:
        given, wanted = given[1:], wanted[1:]
    return "" if given == wanted else f"its shape is {list(given)}, not {list(wanted)},"
