"""The commits of repositories as a stream: `git log`, each author under one e-mail address."""

import contextlib
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


@contextlib.contextmanager
def joint_mailmap(repositories: Sequence[Repository]) -> Iterator[str]:
    """Path of the .mailmap files of all repositories in one, while the context lasts.

    An author whose addresses only one of the repositories lists is one author in all of them.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".mailmap") as file:
        for repository in repositories:
            file.write(repository.mailmap() + "\n")
        file.flush()
        yield file.name


def read(repository: Repository, mailmap: str) -> Iterator[Commit]:
    """Yields the commits, newest first; memory holds one block of `git log`'s output.

    Args:
      repository: Whose history.
      mailmap: Path of the file that says which addresses are one person's.

    Raises:
      TaskError: If git fails on the way.
    """
    command = repository.command(
        *("log", "-z", f"--format=tformat:{_FORMAT}", "--encoding=UTF-8", "--no-color"),
        *("--no-notes", repository.head),
        settings=(f"mailmap.file={mailmap}",),
    )
    with (
        # A file, not a pipe, which git would wait for somebody to empty.
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=messages, env=environment()
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for fields in _records(process.stdout):
                email, name, time, parents, message = fields
                yield Commit(
                    email.strip().lower(),
                    name.strip(),
                    int(time or 0),
                    len(parents.split()),
                    message,
                )
        except GeneratorExit:
            process.kill()
            raise
        if process.wait():
            messages.seek(0)
            raise failure(repository.git_dir, messages.read())


def _records(stream: IO[bytes]) -> Iterator[list[str]]:
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
