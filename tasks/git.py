"""`git`: the histories of Git repositories, one client an author: the prose of commit messages.

`task.path` names clones, bare or not, separated by commas; those of `task.unseen` are a split of
their own, "unseen", of the authors who write in none of the others. What is left out, and why, are
the named rules in `tasks/commits`; docs/git_corpus.md lists them.
"""

import collections
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from tff_lm import paths
from tasks.commits import automatic, history, paragraphs, prose, repository
from tasks.commits.authors import client_name
from tasks.commits.repository import Repository
from tasks.commits.spool import COPY_WORDS, TEMPLATE_WORDS, Sentence, Spool, SpooledClients
from tasks.corpus import Corpus, CorpusOptions, Reading, sample_clients
from tasks.errors import TaskError
from tasks.normalization import normalize_text
from tasks.progress import with_progress
from tasks.registry import CORPORA
from tasks.sentences import split_sentences
from tasks.splitting import UNSEEN, split_all

# Part of the fingerprint: raise it when a rule changes what is read.
_RULES_VERSION = 1
_PART, _UNSEEN_PART = 0, 1


def _repositories(text: str | None) -> list[Repository]:
    """Each once, in an order that is that of their contents."""
    found = {each.head: each for each in map(repository.find, paths.resolve_each(text or ""))}
    return [found[head] for head in sorted(found)]


def _parts(options: CorpusOptions) -> tuple[list[Repository], list[Repository]]:
    """The repositories of the corpus, and those that are measured on only."""
    if not options.path:
        raise TaskError(
            "git: say which repositories, with task.path (folders of clones, separated by commas)"
        )
    return _repositories(options.path), _repositories(options.unseen)


def _fingerprint(options: CorpusOptions) -> str:
    heads = [[each.head for each in part] for part in _parts(options)]
    return hashlib.sha256(f"{_RULES_VERSION} {heads}".encode()).hexdigest()


class _Counts:
    """What was left out, by level and rule, and who writes where."""

    def __init__(self):
        self.messages: collections.Counter[str] = collections.Counter()
        self.lines: collections.Counter[str] = collections.Counter()
        self.sentences: collections.Counter[str] = collections.Counter()
        self.authors: set[str] = set()


def _sentences(
    commits: Iterable[history.Commit], part: int, source: int, lower_case: bool, counts: _Counts
) -> Iterator[Sentence]:
    """The sentences of commits that every rule keeps."""
    for commit in commits:
        client = client_name(commit.email)
        if part == _PART:
            counts.authors.add(client)
        rule = next((name for name, is_so in automatic.RULES.items() if is_so(commit)), None)
        counts.messages[rule or "kept"] += 1
        if rule:
            continue
        for paragraph in paragraphs.split(commit.message, counts.lines):
            for raw in split_sentences(paragraph):
                if broken := prose.broken_rule(raw):
                    counts.sentences[broken] += 1
                else:
                    text = normalize_text(raw, lower_case=lower_case)
                    yield Sentence(client, part, source, commit.time, text)


def _read(options: CorpusOptions) -> Reading:
    known, unseen = _parts(options)
    spool, counts = Spool(), _Counts()
    sources = [(_PART, each) for each in known] + [(_UNSEEN_PART, each) for each in unseen]
    commits = {each.head: each.commits() for _, each in sources}
    with history.joint_mailmap([each for _, each in sources]) as mailmap:
        for number, (part, source) in enumerate(sources):
            shown = with_progress(
                history.read(source, mailmap),
                f"reading {source.name}",
                options.progress,
                unit=" commits",
                total=commits[source.head],
            )
            spool.add(_sentences(shown, part, number, options.lower_case, counts))
    dropped = collections.Counter(counts.sentences)
    dropped["template_of_its_author"] = spool.drop_later("client, shape", TEMPLATE_WORDS)
    dropped["copy"] = spool.drop_later("shape", COPY_WORDS)
    facts = {
        "messages": dict(counts.messages),
        "lines": dict(counts.lines),
    }
    if unseen:
        also = [client for client in spool.sizes(_UNSEEN_PART) if client in counts.authors]
        dropped["unseen_but_known_author"] = spool.drop_clients(_UNSEEN_PART, also)
        facts["unseen"] = {"known_authors_left_out": len(also)}
    facts |= _of_sources([each for _, each in sources], commits, spool)
    clients = {
        split: _clients(spool, ids, options)
        for split, ids in split_all(
            _large_enough(spool, _PART, options, dropped), options.seed
        ).items()
    }
    if unseen:
        ids = _large_enough(spool, _UNSEEN_PART, options, dropped)
        clients[UNSEEN] = _clients(spool, ids, options)
    return Reading(clients=clients, dropped=dict(dropped), facts=facts)


def _of_sources(
    sources: Sequence[Repository], commits: dict[str, int], spool: Spool
) -> dict[str, dict[str, int]]:
    """What each repository, named with its commit, gives."""
    totals = spool.totals()
    return {
        f"{source.name}@{source.head}": dict(
            zip(
                ("commits", "authors", "sentences", "words"),
                (commits[source.head], *totals.get(number, (0, 0, 0))),
                strict=True,
            )
        )
        for number, source in enumerate(sources)
    }


def _large_enough(
    spool: Spool, part: int, options: CorpusOptions, dropped: collections.Counter[str]
) -> list[str]:
    """The clients of a part that have enough sentences; counts what the caps leave out."""
    kept = []
    for client, size in spool.sizes(part).items():
        if size < options.min_examples:
            dropped["client_below_min_examples"] += size
            continue
        kept.append(client)
        if options.max_examples is not None:
            dropped["beyond_max_examples"] += max(0, size - options.max_examples)
    return kept


def _clients(spool: Spool, ids: Sequence[str], options: CorpusOptions) -> SpooledClients:
    return SpooledClients(spool, sample_clients(ids, options), options.max_examples)


CORPUS = CORPORA.register("git")(Corpus(fingerprint=_fingerprint, read=_read, reads_unseen=True))
