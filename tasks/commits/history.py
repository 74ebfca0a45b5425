"""The commits of repositories as a stream: `git log`, each author under one e-mail address."""

import dataclasses
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from tasks.commits.repository import Repository, environment, failure

# E-mail and name by .mailmap, seconds of the author's time, parents, message.
_FORMAT = "%aE%x00%aN%x00%at%x00%P%x00%B"
_FIELDS = 5
_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Commit:
    """A commit as its author left it.

    Attributes:
      email: The author's, by .mailmap, in lower case.
      name: The author's, by .mailmap.
      time: Seconds since 1970, by the author's clock.
      parents: How many there are; a merge has two and more.
      message: The whole message.
    """

    email: str
    name: str
    time: int
    parents: int
    message: str


def read(repository: Repository, mapped_by: Sequence[Repository]) -> Iterator[Commit]:
    """Yields the commits, oldest first; memory holds one block of `git log`'s output.

    Args:
      repository: Whose history.
      mapped_by: The repositories whose .mailmap files say which addresses are one person's: one who
        is listed in any of them is one in all; the repository's own has the last word.

    Raises:
      TaskError: If git fails on the way.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".mailmap") as mailmap:
        others = [each for each in mapped_by if each != repository]
        mailmap.writelines(each.mailmap() + "\n" for each in (*others, repository))
        mailmap.flush()
        command = repository.command(
            *("log", "-z", f"--format=tformat:{_FORMAT}", "--encoding=UTF-8", "--no-color"),
            *("--no-notes", "--reverse", repository.head),
            settings=(f"mailmap.file={mailmap.name}",),
        )
        for email, name, time, parents, message in _records(command, repository.git_dir):
            yield Commit(
                email.strip().lower(), name.strip(), int(time or 0), len(parents.split()), message
            )


def _records(command: Sequence[str], git_dir: str) -> Iterator[list[str]]:
    """The fields of each commit that `git log` writes."""
    with (
        # A file, not a pipe, which git would wait for somebody to empty.
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=messages, env=environment()
        ) as process,
    ):
        assert process.stdout is not None
        yield from _grouped(process.stdout)
        if process.wait():
            messages.seek(0)
            raise failure(git_dir, messages.read())


def _grouped(stream: IO[bytes]) -> Iterator[list[str]]:
    """Groups of `_FIELDS` texts, each of which ends with a NUL, which none of them can hold."""
    rest = b""
    fields: list[str] = []
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        for each in whole:
            fields.append(each.decode("utf-8", errors="replace"))
            if len(fields) == _FIELDS:
                yield fields
                fields = []
