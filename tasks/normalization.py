"""Light normalization of text, the same for training data and for phrases typed by a user."""

import unicodedata

# Typographic marks that NFKC leaves alone (or, for the acute, turns into a space and a combining
# mark).
ASCII_MARKS = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201b": "'",
        "\u2032": "'",
        "\u00b4": "'",
        "\u0060": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u201f": '"',
        "\u2033": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2015": "-",
        "\u2212": "-",
    }
)

# Cc control, Cf format (zero-width joiners, direction marks), Cs lone surrogates (not encodable as
# UTF-8), Co private use, Cn unassigned.
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def drop_unprintable(text: str) -> str:
    """Removes `_DROPPED_CATEGORIES`, except white space (a line break separates words)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c for c in text if c.isspace() or unicodedata.category(c) not in _DROPPED_CATEGORIES
    )


def normalize_text(text: str, *, lower_case: bool) -> str:
    """Normalizes one sentence: the words of its result, split at single spaces, are *the* words.

    In this order: curly quotes and long dashes become ASCII, Unicode NFKC, unprintable characters
    go, lower-casing (optional), white space becomes single spaces. Applying it twice changes
    nothing.

    Args:
      text: Any text.
      lower_case: Whether to lower the case.

    Returns:
      The text, possibly empty.
    """
    text = unicodedata.normalize("NFKC", text.translate(ASCII_MARKS))
    if lower_case:
        text = text.lower()
    text = drop_unprintable(text)
    # Lower-casing and NFKC may each undo the other's normal form (a capital I with a dot above).
    text = unicodedata.normalize("NFKC", text).translate(ASCII_MARKS)
    return " ".join(text.split())
