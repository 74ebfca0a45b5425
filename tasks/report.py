"""What a prepared task holds, as figures and as text for people."""

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.preparation import BAD_ROWS_FILE
from tasks.task import Task

# Above this share of unknown pieces, figures say little about the text.
_MOST_UNKNOWN = 0.01
_SHOWN_BAD_ROWS = 10
_SHOWN_ROWS = 4
_COLUMNS = {"clients": "people", "texts": "sentences", "words": "words", "tokens": "sub-words"}


def figures(task: Task) -> dict[str, Any]:
    """What summary.json says of the data.

    Returns:
      `people`, `sentences`, `rows`, `words` (None where they are not separated by spaces) and
      `sub_words` (ends of sentences included) by split; `long_sentences`, those of several rows;
      `unknown_share` of the sub-words without ends of sentences, `cut_share` of all sub-words;
      `left_out`, sentences and unreadable rows by reason; `unreadable_rows` and `first_unreadable`,
      their number and the first of them; `hash`, of all that is trained and tested on.
    """
    counts = task.statistics["splits"]
    total = {name: sum(each[name] for each in counts.values()) for name in counts["train"]}
    pieces = total["tokens"] - total["texts"]
    dropped = task.statistics["dropped_sentences"]
    by_split = {
        name: {split: each[column] for split, each in counts.items()}
        for name, column in (
            ("people", "clients"),
            ("sentences", "texts"),
            ("rows", "examples"),
            ("words", "words"),
            ("sub_words", "tokens"),
        )
    }
    return {
        **by_split,
        "words": by_split["words"] if task.words_separated else None,
        "max_length": task.statistics["max_length"],
        "long_sentences": total["long_texts"],
        "unknown_share": total["unknown_pieces"] / max(1, pieces),
        "cut_share": total["cut_tokens"] / max(1, total["tokens"]),
        "left_out": {
            reason: count
            for reason, count in {**dropped, **task.statistics["bad_rows_by_reason"]}.items()
            if count
        },
        "unreadable_rows": task.statistics["bad_rows"],
        "first_unreadable": next(_bad_rows(task), None),
        "hash": task.data_hash,
    }


def first_lines(data: Mapping[str, Any], bad_rows_path: str) -> list[str]:
    """What a run says of its data (`figures`) before it begins; nothing is left out in silence."""
    split = ", ".join(f"{count:,} {part}" for part, count in data["people"].items())
    totals = [
        f"{sum(data[name].values()):,} {name.replace('_', '-')}"
        for name in ("sentences", "words", "sub_words")
        if data[name]
    ]
    people = f"{sum(data['people'].values()):,} people ({split})"
    first = f"data: {', '.join([people, *totals])}"
    return [first, *(f"  {line}" for line in _remarks(data, bad_rows_path))]


def _remarks(data: Mapping[str, Any], bad_rows_path: str) -> list[str]:
    """What the counts alone do not say; empty for plain data."""
    remarks = []
    sentences, unreadable = sum(data["sentences"].values()), data["unreadable_rows"]
    if data["long_sentences"]:
        remarks.append(
            f"{data['long_sentences']:,} sentences are longer than federated.max_length="
            f"{data['max_length']} sub-words: each is cut into several, "
            + (f"{data['cut_share']:.2%} left out" if data["cut_share"] else "nothing is left out")
        )
    if data["left_out"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in data["left_out"].items())
        left_out = sum(data["left_out"].values())
        remarks.append(f"left out: {left_out:,} of {sentences + left_out:,} sentences ({reasons})")
    if unreadable:
        remarks.append(
            f"unreadable rows: {unreadable:,}, the first {data['first_unreadable']}; all of them: "
            f"{bad_rows_path}"
        )
    if data["words"] is None:
        remarks.append("words are not separated by spaces: figures of words are left out")
    if data["unknown_share"] > _MOST_UNKNOWN:
        remarks.append(
            f"warning: {data['unknown_share']:.2%} of the sub-words are unknown characters; raise "
            "task.vocabulary_size, or leave task.vocabulary out"
        )
    return remarks


def describe(task: Task) -> str:
    """Counts by split, what was left out and why, what the model sees, where the files lie."""
    data = figures(task)
    lines = [f"{'split':12}" + "".join(f"{name:>12}" for name in _COLUMNS.values())]
    lines[0] += f"{'unknown':>12}"
    for split, counts in task.statistics["splits"].items():
        cells = "".join(
            f"{'-':>12}"
            if column == "words" and data["words"] is None
            else f"{counts[column]:>12,}"
            for column in _COLUMNS
        )
        pieces = counts["tokens"] - counts["texts"]
        lines.append(f"{split:12}{cells}{counts['unknown_pieces'] / max(1, pieces):>12.4%}")
    lines += [
        f"vocabulary: {len(task.vocabulary.pieces):,} pieces in {task.vocabulary.size:,} rows",
        f"unknown: {data['unknown_share']:.4%} of the sub-words; cut off: {data['cut_share']:.4%}",
        *_remarks(data, os.path.join(task.folder, BAD_ROWS_FILE)),
        *(f"  {row}" for row in itertools.islice(_bad_rows(task), _SHOWN_BAD_ROWS)),
    ]
    for name, facts in task.statistics["facts"].items():
        lines.append(f"{name}: " + ", ".join(f"{key} {count:,}" for key, count in facts.items()))
    lines.append("what the model sees:")
    for kind, example in task.statistics["examples"].items():
        lines += [f"  {kind} of {example['client']}: {example['text']}"]
        shown = example["rows"][:_SHOWN_ROWS]
        lines += ["    " + " ".join(row) for row in shown]
        if rest := len(example["rows"]) - len(shown):
            lines.append(f"    ... and {rest} more")
    lines.append(f"data: {task.folder}")
    return "\n".join(lines)


def _bad_rows(task: Task) -> Iterator[str]:
    """The lines of the list of rows that could not be read."""
    with open(os.path.join(task.folder, BAD_ROWS_FILE), encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")
