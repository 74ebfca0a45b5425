"""A corpus from outside: people who count."""

from tasks.corpus import Corpus, read_in_memory
from tasks.registry import CORPORA

_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def _read(options):
    texts = {
        f"person {number}": [" ".join(_NUMBERS[start:] + _NUMBERS[:start]) for start in range(10)]
        for number in range(30)
    }
    return read_in_memory(texts, options)


CORPUS = CORPORA.register("counting")(
    Corpus(fingerprint=lambda options: "1", read=_read, min_examples=2)
)
