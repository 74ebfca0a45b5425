"""What is counted, and kept for people to look at, while a task is prepared."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from tasks import scripts
from tasks.vocabulary import UNK, Vocabulary


@dataclasses.dataclass
class Counts:
    """Counts over a split.

    Attributes:
      clients: People.
      texts: Sentences, as the corpus has them.
      examples: Rows that are stored: a text that is too long for one has several.
      long_texts: How many texts have several.
      words: Of the texts.
      tokens: Targets ([EOS] included, [BOS] not).
      cut_tokens: Targets beyond the most that a row may have: nobody trains on these.
      unknown_pieces: [UNK] among the targets.
      characters: Of the texts, spaces not counted.
      unspaced_characters: How many of them are of scripts without spaces.
    """

    clients: int = 0
    texts: int = 0
    examples: int = 0
    long_texts: int = 0
    words: int = 0
    tokens: int = 0
    cut_tokens: int = 0
    unknown_pieces: int = 0
    characters: int = 0
    unspaced_characters: int = 0

    def add(
        self,
        vocabulary: Vocabulary,
        texts: Sequence[str],
        encoded: Sequence[Sequence[int]],
        rows: Sequence[Sequence[Sequence[int]]],
        max_length: int,
    ) -> None:
        """Adds a client: for each of the texts, its pieces and its rows."""
        targets = [len(row) - 1 for each in rows for row in each]
        self.clients += 1
        self.texts += len(texts)
        self.examples += len(targets)
        self.long_texts += sum(len(each) > 1 for each in rows)
        self.words += sum(len(vocabulary.words(text)) for text in texts)
        self.tokens += sum(targets)
        self.cut_tokens += sum(max(0, count - max_length) for count in targets)
        self.unknown_pieces += sum(ids.count(UNK) for ids in encoded)
        self.characters += sum(len(text) - text.count(" ") for text in texts)
        self.unspaced_characters += sum(map(scripts.count_unspaced, texts))


class Examples:
    """The first training sentence, the first in several rows, the first with unknown pieces.

    Attributes:
      found: What was found so far, by what it is an example of.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.found: dict[str, dict[str, Any]] = {}

    def add(
        self,
        split: str,
        client: str,
        texts: Sequence[str],
        encoded: Sequence[Sequence[int]],
        rows: Sequence[Sequence[Sequence[int]]],
    ) -> None:
        """Looks through a client's texts, their pieces and their rows, unless all are found."""
        if split != "train" or len(self.found) == 3:
            return
        for text, ids, rows_of_text in zip(texts, encoded, rows, strict=True):
            kinds = {
                "a sentence": True,
                "a text in several rows": len(rows_of_text) > 1,
                "unknown characters": UNK in ids,
            }
            for kind, fits in kinds.items():
                if fits and kind not in self.found:
                    pieces = [[self._vocabulary.piece(i) for i in row] for row in rows_of_text]
                    self.found[kind] = {"client": client, "text": text, "rows": pieces}
