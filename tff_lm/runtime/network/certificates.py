"""The keys with which runs and workers on different machines know each other.

One folder serves a group of machines that trust each other:

    ca.pem        who belongs to the group; goes to every machine
    worker.pem    certificate and key of the workers
    run.pem       certificate and key of the runs

The key that signed them is thrown away: nobody can be added later, so there is nothing to guard but
worker.pem and run.pem. To add or to shut out somebody, make a new folder.
"""

import pathlib
import shutil
import subprocess
import tempfile

# The names inside the certificates; each side asks for the other's.
WORKER_NAME = "tff-lm-worker"
RUN_NAME = "tff-lm-run"

_NAMES = {"worker.pem": WORKER_NAME, "run.pem": RUN_NAME}
_DAYS = "3650"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class CertificateError(Exception):
    """The certificates cannot be made or found; the message says what to do."""


def make(folder: pathlib.Path) -> None:
    """Makes a new group in `folder` (mode 0700, made if needed), with the system's `openssl`.

    Raises:
        CertificateError: if there is one already, or `openssl` is missing or fails.
    """
    if shutil.which("openssl") is None:
        raise CertificateError("openssl is not installed: apt-get install openssl.")
    if (folder / "ca.pem").exists():
        raise CertificateError(f"{folder} already holds certificates: name a new folder.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        _openssl(
            "req", "-x509", *_NEW_KEY, "-days", _DAYS, "-subj", "/CN=tff-lm",
            "-keyout", str(work / "ca.key"), "-out", str(folder / "ca.pem"),
        )  # fmt: skip
        for file_name, name in _NAMES.items():
            _issue(work, folder / "ca.pem", folder / file_name, name)


def _issue(work: pathlib.Path, authority: pathlib.Path, target: pathlib.Path, name: str) -> None:
    """Writes a key and a certificate for `name` to `target`, mode 0600."""
    key, request, certificate, extensions = (
        work / f"{name}.{kind}" for kind in ("key", "csr", "crt", "ext")
    )
    extensions.write_text(f"subjectAltName=DNS:{name}\n")
    _openssl("req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
    _openssl(
        "x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(work / "ca.key"),
        "-CAcreateserial", "-CAserial", str(work / "serial"), "-days", _DAYS,
        "-extfile", str(extensions), "-out", str(certificate),
    )  # fmt: skip
    target.touch(mode=0o600)
    target.write_text(key.read_text() + certificate.read_text())


def _openssl(*arguments: str) -> None:
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise CertificateError(f"openssl {arguments[0]} failed: {result.stderr.strip()}")


def find(folder: pathlib.Path, file_name: str) -> pathlib.Path:
    """Returns `folder / file_name`.

    Raises:
        CertificateError: if it or ca.pem is missing.
    """
    for needed in ("ca.pem", file_name):
        if not (folder / needed).is_file():
            raise CertificateError(
                f"{folder / needed} is missing: make certificates once with `python -m bin.worker "
                "--make_certificates=FOLDER` and copy them to each machine."
            )
    return folder / file_name
