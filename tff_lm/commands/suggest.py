"""`bin.suggest`: a phrase in, the likeliest next words out."""

from __future__ import annotations

import contextlib
import functools

from tff_lm import config as config_lib
from tasks.normalization import normalize_text
from tasks.vocabulary import BOS
from tff_lm.commands.word_search import Suggestion, WordSearch
from tff_lm.program import resume
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir

# Room for the pieces of the suggested word itself within the model's usual length.
_WORD_ROOM = 6


class Suggester:
    """A run's model, ready to answer phrases."""

    def __init__(self, workdir: Workdir, checkpoint: str) -> None:
        """Loads the model; raises ConfigError or RunError if there is none."""
        self._config = config_lib.read_json(workdir.config)
        chosen = resume.choose(CheckpointStore(workdir.checkpoints), checkpoint)
        # After the checks above, since TensorFlow takes seconds to import.
        from tff_lm.serving import trained_model

        self._vocabulary = trained_model.load_vocabulary(workdir, chosen)
        model = trained_model.load_model(self._config, chosen, self._vocabulary)
        next_pieces = functools.partial(trained_model.next_piece_probabilities, model)
        self._search = WordSearch(next_pieces, self._vocabulary)

    def words_after(self, phrase: str, count: int) -> list[Suggestion]:
        """The likeliest next words; the phrase's own last word is taken as complete."""
        text = normalize_text(phrase, lower_case=self._config.task.lower_case)
        pieces = self._vocabulary.encode([text])[0]
        room = max(self._config.federated.max_length - _WORD_ROOM, 1)
        return self._search.likeliest([BOS, *pieces[-room:]], count)


def suggest(workdir: Workdir, phrase: str, count: int, checkpoint: str) -> int:
    """Answers `phrase`, or whatever is typed until the end of input; returns the exit code."""
    suggester = Suggester(workdir, checkpoint)
    if phrase:
        print(table(suggester.words_after(phrase, count)))
    else:
        _prompt(suggester, count)
    return 0


def table(suggestions: list[Suggestion]) -> str:
    """One line a word."""
    return "\n".join(f"{each.probability:8.2%}  {each.word}" for each in suggestions)


def _prompt(suggester: Suggester, count: int) -> None:
    with contextlib.suppress(ImportError):  # a Python without it: no arrow keys, no history
        import readline  # noqa: F401
    print("Type the beginning of a sentence; an empty line gives first words, Ctrl-D ends.")
    while True:
        try:
            phrase = input("> ")
        except (EOFError, KeyboardInterrupt):
            print()
            return
        print(table(suggester.words_after(phrase, count)))
