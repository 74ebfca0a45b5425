"""The small process between a run and a process it starts: closes it off, and ends it in time.

Started by `tethered.py` as a bare script (standard library only, so that it is up in milliseconds):

    run (Python) --- pipe on our stdin: open while the run lives
      |  unix:FOLDER/socket (folder 0700, socket 0600)
    launcher --- copies bytes between that socket and the worker's port
      |  127.0.0.1:PORT inside a network namespace that holds nothing else
    worker_binary

Why each part is as it is:
- The worker executes any graph it is sent and listens on every interface. In a network namespace of
  its own it can be reached through our socket alone, which only the same user can open. Where the
  system forbids namespaces we say so in our report, and the worker's port is open as well.
- The run's death is seen as the end of the pipe, which holds for every way out, `kill -9` included.
  A parent-death signal would not do here: the kernel ties it to the *thread* that started us.
  Against forked children of the run that hold the pipe open, a change of our parent counts too.
- The command gets a parent-death signal, so that killing the launcher ends it as well. That is
  safe: the thread which starts it is our main thread.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_INTERFACE_FLAGS = "16sh14x"  # struct ifreq: name, flags

_CHUNK_BYTES = 1 << 20
_PARENT_CHECK_SECONDS = 1.0
_CONNECT_RETRY_SECONDS = 0.02

_libc = ctypes.CDLL(None, use_errno=True)


def _libc_call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _enter_private_network() -> None:
    """Moves this process into a network namespace of its own, with only a loopback interface.

    Raises:
        OSError: if the system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    try:
        # Root needs no user namespace, and without one it keeps its access to other users' files.
        _libc_call("unshare", _CLONE_NEWNET)
    except OSError:
        _libc_call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack(_INTERFACE_FLAGS, b"lo", 0)
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, request)
        flags = struct.unpack(_INTERFACE_FLAGS, answer)[1] | _IFF_UP
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack(_INTERFACE_FLAGS, b"lo", flags))


def _reason_for_open_port() -> str | None:
    """Enters a private network and returns None, or why the system forbids it."""
    try:
        _enter_private_network()
    except OSError as error:
        return str(error)
    return None


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _start(command: list[str]) -> subprocess.Popen:
    def die_with_launcher() -> None:
        _libc_call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # the log: our own standard output carries the report alone
        preexec_fn=die_with_launcher,
    )


def _end(process: subprocess.Popen) -> None:
    if process.poll() is not None:  # it ended by itself, or was killed: worth a line in the log
        print(f"The process ended by itself: exit code {process.returncode}.", file=sys.stderr)
    process.kill()
    process.wait()


def _listen(path: pathlib.Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(previous)
    listener.listen()
    return listener


def _copy(source: socket.socket, destination: socket.socket) -> None:
    """Copies bytes until `source` ends, then passes the end on."""
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with contextlib.suppress(OSError):
        while count := source.recv_into(buffer):
            destination.sendall(buffer[:count])
    for end in (source, destination):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Forwarder:
    """Leads connections to our socket on to the worker's port.

    Attributes:
        left: A descriptor that becomes readable once the last connection has ended.
    """

    def __init__(self, port: int, worker: subprocess.Popen):
        self._port = port
        self._worker = worker
        self._open = 0
        self._lock = threading.Lock()
        self.left, self._left_signal = os.pipe()

    def forward(self, client: socket.socket) -> None:
        """Serves one connection in a thread of its own."""
        with self._lock:
            self._open += 1
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._connect(client)
        with self._lock:
            self._open -= 1
            if self._open == 0:
                os.write(self._left_signal, b".")

    def _connect(self, client: socket.socket) -> None:
        """Connects to the worker, waiting until it listens, and copies both ways."""
        with client, socket.socket() as upstream:
            while upstream.connect_ex(("127.0.0.1", self._port)) != 0:
                if self._worker.poll() is not None:
                    return
                time.sleep(_CONNECT_RETRY_SECONDS)
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
            back.start()
            _copy(client, upstream)
            back.join()


def _watch(run: int, ends: list[int], serve: dict[int, Callable[[], None]]) -> None:
    """Waits until the run is gone or one of the descriptors `ends` is readable.

    Args:
        run: Process id of the run, our parent.
        ends: Descriptors.
        serve: What to do when another descriptor is readable.
    """
    with selectors.DefaultSelector() as selector:
        for descriptor in (*ends, *serve):
            selector.register(descriptor, selectors.EVENT_READ)
        while os.getppid() == run:
            ready = {key.fd for key, _ in selector.select(_PARENT_CHECK_SECONDS)}
            if ready.intersection(ends):
                return
            for descriptor in ready:
                serve[descriptor]()


def _terminate(signal_number: int, frame: object) -> None:
    sys.exit(128 + signal_number)


def _run(options: argparse.Namespace) -> None:
    open_because = _reason_for_open_port() if options.private else None
    port = _unused_port()
    with contextlib.ExitStack() as stack:
        try:
            process = _start([word.replace("{port}", str(port)) for word in options.command])
        except OSError as error:
            print(json.dumps({"error": str(error)}), flush=True)
            return
        stack.callback(_end, process)
        ends, serve = [sys.stdin.fileno(), os.pidfd_open(process.pid)], {}
        if options.private:
            forwarder = _Forwarder(port, process)
            listener = stack.enter_context(_listen(pathlib.Path(options.folder) / "socket"))
            serve[listener.fileno()] = lambda: forwarder.forward(listener.accept()[0])
            if options.single_use:
                ends.append(forwarder.left)
        print(json.dumps({"pid": process.pid, "open_because": open_because}), flush=True)
        _watch(options.run, ends, serve)


def main() -> None:
    """Runs a command until the run that asked for it ends, then removes the run's folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=int, required=True, help="Process id of our parent.")
    parser.add_argument("--folder", required=True, help="Private folder, removed in the end.")
    parser.add_argument(
        "--private", action="store_true", help="Close the port off; FOLDER/socket leads to it."
    )
    parser.add_argument(
        "--single_use", action="store_true", help="End when the last connection has ended."
    )
    parser.add_argument("command", nargs="+", help='"{port}" in it becomes a free port.')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _run(options)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
