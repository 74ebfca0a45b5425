"""Mutual TLS between a run and the workers on other machines, by stunnel.

    run --unix--> stunnel ==TLS 1.3, both sides show a certificate==> stunnel --unix--> worker

TFF's worker speaks neither TLS nor any authentication, so it is never reached but through this.
"""

import pathlib
import shutil
from collections.abc import Mapping

from tff_lm.runtime import errors
from tff_lm.runtime.network import certificates
from tff_lm.runtime.processes.child_process import ChildProcess
from tff_lm.runtime.processes.start_stop import StartStop

_COMMON = {
    "sslVersionMin": "TLSv1.3",
    "verifyChain": "yes",
    "TIMEOUTclose": "0",
    "TIMEOUTidle": str(7 * 24 * 3600),  # a worker may train for hours without a byte
}

# A machine that vanished without a word is noticed within two minutes.
_KEEPALIVE = (
    "socket = {side}:SO_KEEPALIVE=1",
    "socket = {side}:TCP_KEEPIDLE=60",
    "socket = {side}:TCP_KEEPINTVL=15",
    "socket = {side}:TCP_KEEPCNT=4",
    "socket = {side}:TCP_NODELAY=1",
)


class Tunnel(StartStop):
    """One stunnel process, as a context manager; it dies with this process."""

    def __init__(self, service: Mapping[str, str], keepalive_side: str, log_path: str | None):
        self._service = {**_COMMON, **service}
        self._keepalive = [line.format(side=keepalive_side) for line in _KEEPALIVE]
        self._process = ChildProcess(log_path)

    @property
    def socket_path(self) -> pathlib.Path:
        """The socket that the run's end of a tunnel offers."""
        return self._process.socket_path

    def alive(self) -> bool:
        """Whether stunnel runs."""
        return self._process.alive()

    def start(self) -> None:
        """Starts stunnel; does nothing if it runs.

        Raises:
            WorkerStartError: if stunnel is not installed or does not start.
        """
        if self.alive():
            return
        self.stop()
        binary = shutil.which("stunnel") or shutil.which("stunnel4", path="/usr/bin")
        if binary is None:
            raise errors.WorkerStartError("stunnel is not installed: apt-get install stunnel4.")
        configuration = self._process.make_folder() / "stunnel.conf"
        configuration.write_text(self._configuration())
        self._process.start([binary, str(configuration)])

    def _configuration(self) -> str:
        service = {"accept": str(self.socket_path), **self._service}
        lines = ["foreground = yes", "pid =", "debug = notice", *self._keepalive, "[worker]"]
        return "\n".join([*lines, *(f"{key} = {value}" for key, value in service.items())]) + "\n"

    def stop(self) -> None:
        """Ends stunnel."""
        self._process.stop()


def to_worker(address: str, folder: pathlib.Path, log_path: str | None = None) -> Tunnel:
    """The run's end: a socket here that leads to the worker at `address` ("host:port").

    Args:
        address: Where the worker's end listens.
        folder: The certificates.
        log_path: File for stunnel's log; None discards it.
    """
    service = {
        "client": "yes",
        "connect": address,
        "cert": str(certificates.find(folder, "run.pem")),
        "CAfile": str(folder / "ca.pem"),
        "checkHost": certificates.WORKER_NAME,
    }
    return Tunnel(service, keepalive_side="r", log_path=log_path)


def from_runs(
    port: int, worker_socket: pathlib.Path, folder: pathlib.Path, log_path: str | None = None
) -> Tunnel:
    """The worker's end: TLS on `port` of every interface, led to the worker.

    Args:
        port: The port to listen on.
        worker_socket: The worker's socket.
        folder: The certificates.
        log_path: File for stunnel's log; None discards it.
    """
    service = {
        "accept": f":::{port}",
        "connect": str(worker_socket),
        "cert": str(certificates.find(folder, "worker.pem")),
        "CAfile": str(folder / "ca.pem"),
        "checkHost": certificates.RUN_NAME,
    }
    return Tunnel(service, keepalive_side="l", log_path=log_path)
