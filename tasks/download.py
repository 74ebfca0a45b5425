"""Files that a corpus has from the network: whole and verified, or not there.

A connection that breaks is taken up again, and a download that was stopped goes on with the next
call: the bytes so far lie beside the file, as NAME.part. `tasks.archives` makes corpora of them.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import shutil
import time
import urllib.parse
from collections.abc import Callable, Sequence

import requests
import tqdm

from tasks.cache import lock
from tasks.errors import TaskError

# Seconds to connect, and between two packets; between tries while bytes still arrive.
_TIMEOUT = (20.0, 60.0)
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_CHUNK = 1 << 18
# Answers of a server: to a part that the file does not have, and where it may do better soon.
_NO_SUCH_RANGE = 416
_BUSY = (408, 429, 500, 502, 503, 504)


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that is published.

    Attributes:
      url: Where.
      size: In bytes; None where nobody states it but the server.
      sha256: Hexadecimal; "" likewise.
    """

    url: str
    size: int | None = None
    sha256: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return urllib.parse.urlparse(self.url).path.rpartition("/")[2]

    @property
    def host(self) -> str:
        """The machine that has it."""
        return urllib.parse.urlparse(self.url).netloc

    @property
    def facts(self) -> str:
        """Size and hash in words."""
        size = "a size that only its server states" if self.size is None else f"{self.size:,} bytes"
        return f"{size}, {f'sha256 {self.sha256}' if self.sha256 else 'no published sha256'}"


def fetch(source: Source, folder: str, pauses: Sequence[float] = _PAUSES) -> str:
    """Downloads a file, unless it is there.

    Args:
      source: The file.
      folder: Where to; made if it is not there.
      pauses: Seconds between tries; as many tries in a row may bring no byte.

    Returns:
      Its path. It has the size and the hash that are known of it.

    Raises:
      TaskError: If that is not possible, or if what came is not the file.
    """
    path = os.path.join(folder, source.name)
    try:
        os.makedirs(folder, exist_ok=True)
        with lock(os.path.join(folder, f".{source.name}.lock")):
            if not os.path.exists(path):
                print(f"downloading {source.url} to {folder} ...", flush=True)
                stated = _download(source, f"{path}.part", pauses)
                _verify(source, f"{path}.part", stated)
                os.replace(f"{path}.part", path)
                _discard(f"{path}.part")
    except OSError as error:
        raise TaskError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


@dataclasses.dataclass(frozen=True)
class _Stated:
    """What the server says of the whole file: bytes (None: nothing), MD5 ("": nothing)."""

    size: int | None
    md5: str


class _BrokenError(Exception):
    """A connection that may be better in a moment."""


def _download(source: Source, part: str, pauses: Sequence[float]) -> _Stated:
    """Gets the bytes that `part` does not have yet, however often the connection breaks."""
    if source.size and _size(part) == source.size:
        return _Stated(source.size, "")  # It was stopped before its last byte was verified.
    waits, arrived = iter(pauses), False
    while True:
        before = _size(part)
        try:
            return _stream(source, part)
        except _BrokenError as error:
            if _size(part) > before:
                waits, arrived = iter(pauses), True
            pause = next(waits, None)
            # Without a network it is the first try that fails: say so at once.
            if pause is None or not arrived:
                kept = _size(part)
                so_far = f" ({kept:,} bytes are kept for the next call)" if kept else ""
                raise TaskError(f"it cannot be downloaded: {error}{so_far}") from error
        time.sleep(pause)


def _stream(source: Source, part: str) -> _Stated:
    """One connection; raises `_BrokenError` if it ends too early."""
    headers = _headers(source, part)
    try:
        with requests.get(source.url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code == _NO_SUCH_RANGE and "Range" in headers:
                # `part` is no beginning of the file that is there now.
                _discard(part)
                return _stream(source, part)
            if answer.status_code in _BUSY:
                raise _BrokenError(f"{source.host} answers {answer.status_code} {answer.reason}")
            if not answer.ok:
                raise TaskError(
                    f"it cannot be downloaded: {source.host} answers {answer.status_code} "
                    f"{answer.reason} for {source.url}"
                )
            return _receive(source, answer, part)
    except requests.exceptions.SSLError as error:
        raise _BrokenError(f"the certificate of {source.host} is not accepted") from error
    except requests.exceptions.ProxyError as error:
        raise _BrokenError(f"no connection to {source.host} through the proxy") from error
    except requests.exceptions.Timeout as error:
        raise _BrokenError(f"{source.host} does not answer") from error
    except requests.exceptions.RequestException as error:
        raise _BrokenError(f"no connection to {source.host}") from error


def _headers(source: Source, part: str) -> dict[str, str]:
    """Asks for the bytes after those of `part`, if the file is the same still."""
    headers = {"Accept-Encoding": "identity"}
    start, validator = _size(part), _read(f"{part}.etag")
    # Without a hash at the end, only a validator tells two versions of a file apart.
    if start and (validator or source.sha256):
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    return headers


def _receive(source: Source, answer: requests.Response, part: str) -> _Stated:
    """Appends what is sent to `part`, or begins it anew if the server sends the whole."""
    start = _size(part)
    goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    start = start if goes_on else 0
    length = answer.headers.get("Content-Length")
    total = source.size if length is None else start + int(length)
    _check_room(part, (total or 0) - start)
    validator = answer.headers.get("ETag", "")
    with open(f"{part}.etag", "w", encoding="utf-8") as file:
        # A weak one does not compare bytes.
        file.write(validator if validator.startswith('"') else "")
    with (
        open(part, "ab" if goes_on else "wb") as file,
        # None: tqdm looks at the stream itself, so that no bar goes into a file.
        tqdm.tqdm(
            total=total, initial=start, desc=source.name, unit="B", unit_scale=True, disable=None
        ) as bar,
    ):
        for chunk in answer.iter_content(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
    return _Stated(total, _md5_of(answer))


def _md5_of(answer: requests.Response) -> str:
    """The hexadecimal MD5 that Google's storage, where TFF's files lie, states of a whole file."""
    for each in answer.headers.get("X-Goog-Hash", "").split(","):
        kind, _, value = each.strip().partition("=")
        if kind == "md5":
            return base64.b64decode(value).hex()
    return ""


def _check_room(part: str, needed: int) -> None:
    folder = os.path.dirname(part)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise TaskError(f"{needed:,} bytes are to come and {folder} has room for {free:,}")


def _verify(source: Source, part: str, stated: _Stated) -> None:
    """Raises TaskError, and removes `part`, if it is not the file."""
    checks: list[tuple[str, int | str, int | str]] = [
        ("bytes", size, _size(part)) for size in (source.size, stated.size) if size
    ]
    if source.sha256:
        checks.append(("sha256", source.sha256, _digest(part, hashlib.sha256)))
    elif stated.md5:
        checks.append(("MD5", stated.md5, _digest(part, hashlib.md5)))
    for kind, wanted, found in checks:
        if wanted != found:
            _discard(part)
            raise TaskError(
                f"what {source.url} sends is not the file that was published: {kind} {found} "
                f"instead of {wanted}; it was removed"
            )


def _digest(path: str, kind: Callable[..., hashlib._Hash]) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: kind(usedforsecurity=False)).hexdigest()


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _discard(part: str) -> None:
    for path in (part, f"{part}.etag"):
        if os.path.exists(path):
            os.remove(path)
