"""`git`: the histories of Git repositories, one client an author: the prose of commit messages.

`task.path` names clones, bare or not, separated by commas; those of `task.unseen` are a split of
their own, "unseen", of the authors who write in none of the others. What is left out, and why, are
the named rules in `tasks/commits`; docs/git_corpus.md lists them.
"""

import collections
import dataclasses
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
_RULES_VERSION = 2
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


@dataclasses.dataclass
class _Counts:
    """What was left out, by level and rule, and who writes in the corpus itself."""

    messages: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    lines: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    sentences: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    authors: set[str] = dataclasses.field(default_factory=set)


def _read(options: CorpusOptions) -> Reading:
    known, unseen = _parts(options)
    spool, counts = Spool(), _Counts()
    sources = [*known, *unseen]
    for number, source in enumerate(sources):
        part = _PART if number < len(known) else _UNSEEN_PART
        # What is trained on must not depend on what is measured on only.
        commits = _commits(source, known if part == _PART else sources, options.progress)
        spool.add(_sentences(commits, part, number, options.lower_case, counts))
    counts.sentences["template_of_its_author"] = spool.drop_later("client, shape", TEMPLATE_WORDS)
    counts.sentences["copy"] = spool.drop_later("shape", COPY_WORDS)
    facts = {"messages": dict(counts.messages), "lines": dict(counts.lines)}
    if unseen:
        facts["unseen"] = _drop_known_authors(spool, counts)
    facts |= _of_sources(sources, spool)
    ids = split_all(_large_enough(spool, _PART, options, counts), options.seed)
    if unseen:
        ids[UNSEEN] = _large_enough(spool, _UNSEEN_PART, options, counts)
    clients = {
        split: SpooledClients(spool, sample_clients(members, options), options.max_examples)
        for split, members in ids.items()
    }
    return Reading(clients=clients, dropped=dict(counts.sentences), facts=facts)


def _commits(
    source: Repository, mapped_by: Sequence[Repository], progress: bool
) -> Iterable[history.Commit]:
    """The commits of a repository, behind a progress line."""
    return with_progress(
        history.read(source, mapped_by),
        f"reading {source.name}",
        progress,
        unit=" commits",
        total=source.commits(),
    )


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


def _drop_known_authors(spool: Spool, counts: _Counts) -> dict[str, int]:
    """Leaves out of the unseen part whoever has a commit in the corpus; returns how many."""
    known = [client for client in spool.sizes(_UNSEEN_PART) if client in counts.authors]
    counts.sentences["unseen_but_known_author"] = spool.drop_clients(_UNSEEN_PART, known)
    return {"known_authors_left_out": len(known)}


def _of_sources(sources: Sequence[Repository], spool: Spool) -> dict[str, dict[str, int]]:
    """What each repository, named with its commit, gives."""
    totals = spool.totals()
    found = {}
    for number, source in enumerate(sources):
        authors, sentences, words = totals.get(number, (0, 0, 0))
        found[f"{source.name}@{source.head}"] = {
            "commits": source.commits(),
            "authors": authors,
            "sentences": sentences,
            "words": words,
        }
    return found


def _large_enough(spool: Spool, part: int, options: CorpusOptions, counts: _Counts) -> list[str]:
    """The clients of a part that have enough sentences; counts what the caps leave out."""
    kept = []
    for client, size in spool.sizes(part).items():
        if size < options.min_examples:
            counts.sentences["client_below_min_examples"] += size
            continue
        kept.append(client)
        if options.max_examples is not None:
            counts.sentences["beyond_max_examples"] += max(0, size - options.max_examples)
    return kept


CORPUS = CORPORA.register("git")(Corpus(fingerprint=_fingerprint, read=_read, reads_unseen=True))
