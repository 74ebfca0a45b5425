"""Offers this machine's cores to runs on other machines, over mutual TLS.

Once, on any machine, and then copied to all of them (to workers without run.pem):

    python -m bin.worker --make_certificates=certificates

On each machine that is to work:

    python -m bin.worker --port=7000 --certificates=certificates

In the run: --config.runtime.workers=host1:7000,host2:7000. A worker reads its own copy of the data
file, at the same path as the run's. It serves until it is interrupted or terminated, and starts the
TFF worker again should that die.
"""

import pathlib
import signal
import sys
import time
from collections.abc import Sequence

from absl import app, flags, logging

from tff_lm import paths
from tff_lm.runtime import certificates, cores, errors, tunnel, worker

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
    """Serves until the TFF worker or stunnel dies."""
    options = worker.WorkerOptions(concurrency=concurrency, log_path=log_path)
    with worker.LocalWorker(options) as started:
        if not (started.is_closed or _OPEN_WORKER.value):
            raise errors.WorkerStartError(
                "This system allows no network namespaces, so the TFF worker would listen without "
                "authentication beside the protected port. Allow unprivileged user namespaces, or "
                "see --open_worker."
            )
        with tunnel.from_runs(port, started.address, folder, log_path) as end:
            logging.info("Serving on port %d, %d clients at once.", port, concurrency)
            while started.alive() and end.alive():
                time.sleep(_CHECK_SECONDS)


def _serve_forever(folder: pathlib.Path) -> None:
    concurrency = _CONCURRENCY.value or cores.available_cores()
    log_path = paths.resolve(_LOG.value) if _LOG.value else None
    while True:
        started = time.monotonic()
        _serve(_PORT.value, folder, concurrency, log_path)
        if time.monotonic() - started < 2 * _CHECK_SECONDS:
            raise errors.WorkerStartError(
                f"The worker or its tunnel ended at once: is port {_PORT.value} taken? See the log "
                f"({log_path or 'set --log'})."
            )
        logging.warning("The worker died; starting it again.")


def _terminate(signal_number: int, frame: object) -> None:
    sys.exit(0)


def main(arguments: Sequence[str]) -> None:
    """Makes certificates or serves."""
    if len(arguments) > 1:
        raise app.UsageError(f"Unexpected argument {arguments[1]!r}.")
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, _terminate)
    try:
        if _MAKE.value:
            certificates.make(pathlib.Path(paths.resolve(_MAKE.value)))
        elif _CERTIFICATES.value:
            _serve_forever(pathlib.Path(paths.resolve(_CERTIFICATES.value)))
        else:
            raise app.UsageError("Give --certificates=FOLDER, or --make_certificates=FOLDER once.")
    except (certificates.CertificateError, errors.WorkerStartError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    app.run(main)
