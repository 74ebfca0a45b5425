"""Tiny Git repositories for tests, each written by one call of `git fast-import`."""

import dataclasses
import subprocess


@dataclasses.dataclass(frozen=True)
class Made:
    """A commit to be made; `merges` is the number, from 1, of an earlier one as second parent."""

    message: str
    email: str = "ada@example.org"
    name: str = "Ada"
    time: int = 1_000_000_000
    merges: int = 0


def make(path: str, commits: list[Made], *, mailmap: str = "", bare: bool = True) -> str:
    """A repository with these commits, the first one the oldest; returns its path."""
    command = ["git", "init", "--quiet", "--initial-branch=main", *(["--bare"] * bare), path]
    subprocess.run(command, check=True)
    stream = "".join(_commit(number, each) for number, each in enumerate(commits, 1))
    if mailmap:
        stream += f"M 100644 inline .mailmap\n{_data(mailmap)}\n"
    fast_import = ["git", "-C", path, "fast-import", "--quiet"]
    subprocess.run(fast_import, input=stream.encode(), check=True)
    return path


def _commit(number: int, made: Made) -> str:
    merge = f"merge :{made.merges}\n" if made.merges else ""
    return (
        f"commit refs/heads/main\nmark :{number}\n"
        f"author {made.name} <{made.email}> {made.time} +0000\n"
        f"committer C <c@example.org> {1_500_000_000 + number} +0000\n"
        f"{_data(made.message)}{merge}"
    )


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
