"""A Git repository whose history can be read: found, checked, asked by way of git itself."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from tasks.errors import TaskError

# What the user's own configuration may say of `git log` must not change what is read.
_SETTINGS = ("log.showSignature=false", "mailmap.blob=", "core.commitGraph=true")


@dataclasses.dataclass(frozen=True)
class Repository:
    """A repository with a whole history.

    Attributes:
      name: The last part of its path, without ".git": for people.
      git_dir: Where git keeps it.
      head: The commit from which the history is read, 40 (or 64) hexadecimal digits.
    """

    name: str
    git_dir: str
    head: str

    def command(self, *arguments: str, settings: Sequence[str] = ()) -> list[str]:
        """The line that runs git on this repository, wherever that is called."""
        chosen = [part for each in (*_SETTINGS, *settings) for part in ("-c", each)]
        return [_program(), "--bare", f"--git-dir={self.git_dir}", *chosen, *arguments]

    def ask(self, *arguments: str) -> str:
        """What git answers; raises a TaskError with its own words if it fails."""
        return _run(self.command(*arguments), self.git_dir)

    def commits(self) -> int:
        """How many commits the history has."""
        return int(self.ask("rev-list", "--count", self.head))

    def mailmap(self) -> str:
        """The text of `.mailmap` at the head, empty if there is none."""
        if not self.ask("ls-tree", self.head, ".mailmap"):
            return ""
        return self.ask("cat-file", "blob", f"{self.head}:.mailmap")


def find(path: str) -> Repository:
    """The repository that a path is: a working copy's folder, or a bare one's.

    Raises:
      TaskError: If git is missing, or the path is no repository, has no commit, or is shallow.
    """
    git_dir = _git_dir(path)
    found = Repository(_name(path), git_dir, "HEAD")
    try:
        head = found.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except TaskError as error:
        raise TaskError(
            f"git: the history of {path} is empty; give a repository with commits, or check its "
            "branch out (HEAD names none)"
        ) from error
    if found.ask("rev-parse", "--is-shallow-repository") != "false":
        raise TaskError(
            f"git: {path} is a shallow clone, without most of its history; run "
            f"`git -C {path} fetch --unshallow`, or clone it without --depth"
        )
    return dataclasses.replace(found, head=head)


def environment() -> Mapping[str, str]:
    """That of git: no variable that points it elsewhere, messages in English, no questions."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise TaskError("git: the program git is missing; install it (apt-get install git)")
    return program


def _git_dir(path: str) -> str:
    """Where git keeps the repository at `path` itself: one of a folder above does not count."""
    program = _program()
    remedy = "give the folder of a clone (`git clone --bare URL`)"
    if not os.path.isdir(path):
        raise TaskError(f"git: there is no folder {path}; {remedy}")
    above = os.path.dirname(os.path.realpath(path))
    try:
        # An owner other than the user is no danger here: nothing of the repository is run.
        return _run(
            [program, "-C", path, "rev-parse", "--absolute-git-dir"],
            path,
            {"GIT_CEILING_DIRECTORIES": above},
        )
    except TaskError as error:
        # What git does not find by itself: a bare repository of somebody else.
        if os.path.isfile(os.path.join(path, "HEAD")) and os.path.isdir(f"{path}/objects"):
            return os.path.abspath(path)
        raise TaskError(f"git: {path} is no Git repository; {remedy}") from error


def _name(path: str) -> str:
    name = os.path.basename(os.path.abspath(path))
    return name.removesuffix(".git") or os.path.basename(os.path.dirname(os.path.abspath(path)))


def _run(command: Sequence[str], path: str, extra: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        command, capture_output=True, env={**environment(), **(extra or {})}, check=False
    )
    if result.returncode:
        raise failure(path, result.stderr)
    return result.stdout.decode("utf-8", errors="replace").strip()


def failure(path: str, stderr: bytes) -> TaskError:
    """An error in git's own words: the last line of what it said."""
    lines = stderr.decode("utf-8", errors="replace").strip().splitlines()
    return TaskError(f"git: cannot read {path}: {lines[-1] if lines else 'git failed'}")
