"""Unicode as Python knows it, as arrays: what a graph needs to normalize as `tasks.normalization`.

Tables, because no operation of TensorFlow's core normalizes, and because those that lower the case
know another version of Unicode.
"""

from __future__ import annotations

import dataclasses
import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from tasks import normalization

_END = 0x110000
# Unassigned, surrogates, private use.
_NONE = ("Cn", "Cs", "Co")
_HANGUL = range(0xAC00, 0xD7A4)
_LEADING, _VOWELS, _TRAILING = 0x1100, 0x1161, 0x11A7
_VOWEL_COUNT, _TRAILING_COUNT = 21, 28
CAPITAL_SIGMA, FINAL_SIGMA = "\u03a3", "\u03c2"
# Code points have 21 bits.
PAIR_SHIFT = 21


@dataclasses.dataclass(frozen=True)
class Mapping1ToN:
    """From some code points to others.

    Attributes:
      keys: int32[k], ascending.
      starts: int32[k], where the values of each begin.
      lengths: int32[k], how many it has.
      values: int32[n].
    """

    keys: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    values: np.ndarray


@dataclasses.dataclass(frozen=True)
class Tables:
    """Attributes: see the functions that make them; sets of code points are int32[k], ascending."""

    marks: Mapping1ToN
    decompositions: Mapping1ToN
    lower_case: Mapping1ToN
    combining_classes: Mapping1ToN
    pairs: np.ndarray
    composites: np.ndarray
    spaces: np.ndarray
    dropped_starts: np.ndarray
    dropped_ends: np.ndarray
    cased: np.ndarray
    case_ignorable: np.ndarray


@functools.cache
def tables() -> Tables:
    """All of them; takes about two seconds."""
    pairs = dict(sorted(_pairs()))
    dropped = _where(lambda text: not normalization.drop_unprintable(text), range(_END))
    gaps = np.flatnonzero(np.diff(dropped) > 1)
    return Tables(
        marks=_mapping(lambda text: text.translate(normalization.ASCII_MARKS)),
        decompositions=_mapping(lambda text: unicodedata.normalize("NFKD", text)),
        lower_case=_mapping(str.lower),
        combining_classes=_from_dict(
            {point: [each] for point in _assigned() if (each := unicodedata.combining(chr(point)))}
        ),
        pairs=np.array(list(pairs), np.int64),
        composites=np.array(list(pairs.values()), np.int32),
        spaces=_where(str.isspace),
        dropped_starts=dropped[np.concatenate([[0], gaps + 1])],
        dropped_ends=dropped[np.concatenate([gaps, [len(dropped) - 1]])],
        cased=_where(_is_cased),
        case_ignorable=_where(_is_case_ignorable),
    )


@functools.cache
def _assigned() -> tuple[int, ...]:
    """The code points that are characters: others have no properties but to be dropped."""
    categories = map(unicodedata.category, map(chr, range(_END)))
    return tuple(p for p, category in enumerate(categories) if category not in _NONE)


def _where(holds: Callable[[str], bool], points: Iterable[int] | None = None) -> np.ndarray:
    """Those of the code points, by default of all characters, for which something holds."""
    points = _assigned() if points is None else points
    return np.array([point for point in points if holds(chr(point))], np.int32)


def _mapping(change: Callable[[str], str]) -> Mapping1ToN:
    """Of the characters that a function changes."""
    changed = ((point, change(chr(point))) for point in _assigned())
    return _from_dict(
        {point: list(map(ord, text)) for point, text in changed if text != chr(point)}
    )


def _from_dict(mapping: Mapping[int, Sequence[int]]) -> Mapping1ToN:
    lengths = np.array([len(values) for values in mapping.values()], np.int32)
    return Mapping1ToN(
        keys=np.array(list(mapping), np.int32),
        starts=np.cumsum(lengths, dtype=np.int32) - lengths,
        lengths=lengths,
        values=np.array([each for values in mapping.values() for each in values], np.int32),
    )


def _pairs() -> Iterator[tuple[int, int]]:
    """(first << 21 | second, what they compose to), of all pairs that do."""
    for point in _assigned():
        if point in _HANGUL:
            syllable, trailing = divmod(point - _HANGUL.start, _TRAILING_COUNT)
            if trailing:
                first, second = point - trailing, _TRAILING + trailing
            else:
                leading, vowel = divmod(syllable, _VOWEL_COUNT)
                first, second = _LEADING + leading, _VOWELS + vowel
        else:
            parts = unicodedata.decomposition(chr(point)).split()
            if len(parts) != 2 or parts[0].startswith("<"):
                continue
            first, second = (int(part, 16) for part in parts)
            # Some that have parts are not made of them again.
            if unicodedata.normalize("NFC", chr(first) + chr(second)) != chr(point):
                continue
        yield first << PAIR_SHIFT | second, point


def _is_cased(text: str) -> bool:
    """Whether a capital sigma behind the character is a word's last letter for it."""
    return (text + CAPITAL_SIGMA).lower().endswith(FINAL_SIGMA)


def _is_case_ignorable(text: str) -> bool:
    """Whether what stands before the character decides that instead."""
    return not _is_cased(text) and ("a" + text + CAPITAL_SIGMA).lower().endswith(FINAL_SIGMA)
