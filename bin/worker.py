"""Offers this machine's cores to runs on other machines, over mutual TLS.

Once, on any machine, and then copied to all of them (to workers without run.pem):

    python -m bin.worker --make_certificates=certificates

On each machine that is to work:

    python -m bin.worker --port=7000 --certificates=certificates

In the run: --config.runtime.workers=host1:7000,host2:7000. A worker reads its own copy of the data
file, at the same path as the run's. It serves until it is interrupted or terminated, with a fresh
TFF worker after each run.
"""

import pathlib
import signal
import sys
import time
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures
from tff_lm.config import ConfigError, command_line
from tff_lm.runtime import errors
from tff_lm.runtime.network import certificates, tunnel
from tff_lm.runtime.processes import cores, worker

_PORT = flags.DEFINE_integer("port", 7000, "Port to serve on.", lower_bound=1, upper_bound=65535)
_CERTIFICATES = flags.DEFINE_string("certificates", None, "Folder with ca.pem and worker.pem.")
_MAKE = flags.DEFINE_string("make_certificates", None, "Makes certificates in this new folder.")
_CONCURRENCY = flags.DEFINE_integer(
    "concurrency", None, "Clients that train at once, at most; default: the cores.", lower_bound=1
)
_LOG = flags.DEFINE_string("log", None, "File for the logs of the worker and of stunnel.")

_OPEN_WORKER = flags.DEFINE_bool(
    "open_worker",
    False,
    "Serve even where namespaces are not allowed, as in most containers. The TFF worker then "
    "listens on a second port, without authentication: only where a firewall or a Kubernetes "
    "NetworkPolicy lets in nothing but --port.",
)

_CHECK_SECONDS = 1.0


def _serve(port: int, folder: pathlib.Path, concurrency: int, log_path: str | None) -> None:
    """Serves until the last run has left, or the TFF worker or stunnel died.

    Raises:
        WorkerStartError: if stunnel ended at once.
    """
    options = worker.WorkerOptions(concurrency=concurrency, log_path=log_path, single_use=True)
    with worker.LocalWorker(options) as started:
        if not (started.is_closed or _OPEN_WORKER.value):
            raise errors.WorkerStartError(
                "This system allows no network namespaces, so the TFF worker listens without "
                "authentication beside the protected port. Allow unprivileged user namespaces, or "
                "see --open_worker."
            )
        with tunnel.from_runs(port, started.socket_path, folder, log_path) as end:
            time.sleep(_CHECK_SECONDS)
            if not end.alive():
                raise errors.WorkerStartError(
                    f"The TLS end stopped at once: is port {port} taken? See the log "
                    f"({log_path or 'set --log'})."
                )
            _say(f"Serving on port {port}, {concurrency} clients at once.")
            while started.alive() and end.alive():
                time.sleep(_CHECK_SECONDS)


def _serve_forever(folder: pathlib.Path) -> None:
    concurrency = _CONCURRENCY.value or cores.available_cores()
    log_path = paths.resolve(_LOG.value) if _LOG.value else None
    while True:
        _serve(_PORT.value, folder, concurrency, log_path)
        _say("The worker ended: the last run has left it, or it died. Starting another.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _terminate(signal_number: int, frame: object) -> None:
    sys.exit(0)


def main(arguments: Sequence[str]) -> int:
    """Makes certificates or serves; returns the exit code."""
    command_line.refuse_positional(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, _terminate)
    if _MAKE.value:
        certificates.make(pathlib.Path(paths.resolve(_MAKE.value)))
    elif _CERTIFICATES.value:
        _serve_forever(pathlib.Path(paths.resolve(_CERTIFICATES.value)))
    else:
        raise ConfigError("give --certificates=FOLDER, or --make_certificates=FOLDER once")
    return 0


if __name__ == "__main__":
    failures.run(main)
