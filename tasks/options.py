"""Options of a task."""

from __future__ import annotations

import dataclasses

from tasks.registry import CORPORA
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class TaskOptions:
    """Whose text is learned, and how it is cut into sub-words."""

    name: str = option("chat", "the corpus", choices=CORPORA)
    path: str = option(
        "",
        "file or folder of a corpus that is not a package; of git several, with commas",
        fixed=False,
    )
    unseen: str = option(
        "", "repositories to measure on only, as the split unseen (task.name='git')"
    )
    cache_dir: str = option("", "prepared data; default $TFF_LM_CACHE or ~/.cache", fixed=False)
    vocabulary_size: int = option(4000, "sub-word pieces", minimum=16)
    vocabulary: str = option("", "a task's name, a run's folder or a file; empty: learned")
    lower_case: bool = option(True, "whether text is lower-cased")
    min_examples: int = option(0, "fewest sentences of a client; 0: the corpus' own", minimum=0)
    max_examples: int = option(0, "most sentences of a client; 0: the corpus' own", minimum=0)
    max_clients: int = option(0, "most clients of a split; 0: all", minimum=0)
    user_column: str = option("user", "column of the user's name (task.name='text')")
    text_column: str = option("text", "column of the text (task.name='text')")
