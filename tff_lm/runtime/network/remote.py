"""Workers on other machines, reached through mutual TLS."""

import pathlib
import re

from tff_lm.runtime.network import tunnel
from tff_lm.runtime.processes import cores

_ADDRESS = re.compile(r"(?P<address>[\w.-]+:\d+)(/(?P<clients>[1-9]\d*))?")


class RemoteWorker:
    """A way to a worker that `python -m bin.worker` runs elsewhere; satisfies `session.Worker`."""

    def __init__(
        self,
        address: str,
        certificates: pathlib.Path,
        concurrency: int,
        log_path: str | None = None,
    ):
        """Opens nothing yet.

        Args:
            address: "host:port".
            certificates: Folder with ca.pem and run.pem.
            concurrency: Clients that train at once in it.
            log_path: File for the log of the tunnel; None discards it.
        """
        self.address = address
        self.concurrency = concurrency
        self._tunnel = tunnel.to_worker(address, certificates, log_path)

    @property
    def target(self) -> str:
        """The gRPC target: this machine's end of the tunnel."""
        return f"unix:{self._tunnel.socket_path}"

    def start(self) -> None:
        """Opens this machine's end of the tunnel; does nothing if it is open."""
        self._tunnel.start()

    def stop(self) -> None:
        """Closes this machine's end of the tunnel; the worker goes on."""
        self._tunnel.stop()

    def alive(self) -> bool:
        """Whether this machine's end of the tunnel is open."""
        return self._tunnel.alive()


def parse_workers(
    text: str, certificates: pathlib.Path, log_path: str | None = None
) -> list[RemoteWorker]:
    """Reads "host1:port,host2:port/16": workers, with the clients that train at once in each.

    Without a number it is the number of cores of *this* machine: right where all are alike.

    Raises:
        ValueError: if the text is of another form.
        CertificateError: if the certificates are missing.
    """
    workers = []
    for part in text.split(","):
        match = _ADDRESS.fullmatch(part.strip())
        if match is None:
            raise ValueError(
                f"{part!r} is not a worker: write host:port, or host:port/CLIENTS_AT_ONCE."
            )
        clients = int(match["clients"] or cores.available_cores())
        workers.append(RemoteWorker(match["address"], certificates, clients, log_path))
    return workers
