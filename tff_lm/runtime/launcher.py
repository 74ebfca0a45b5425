"""The small process between a run and its worker: closes the worker off, and ends it in time.

Started by `worker.py` as a bare script (standard library only, so that it is up in milliseconds):

    run (Python) --- pipe on our stdin: open while the run lives
      |  unix:/tmp/tff_lm_worker_XXXX/socket (folder 0700, socket 0600)
    launcher --- copies bytes between that socket and the worker's port
      |  127.0.0.1:PORT inside a network namespace that holds nothing else
    worker_binary

Why each part is as it is:
- The worker executes any graph it is sent and listens on every interface. In a network namespace of
  its own it can be reached through our socket alone, which only the same user can open. Where the
  system forbids namespaces we say so in our report and the worker listens in the open.
- The run's death is seen as the end of the pipe, which holds for every way out, `kill -9` included.
  A parent-death signal would not do here: the kernel ties it to the *thread* that started us.
  Against forked children of the run that hold the pipe open, a change of our parent counts too.
- The worker gets a parent-death signal, so that killing the launcher ends it as well. That is safe:
  the thread which starts the worker is our main thread.
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
import tempfile
import threading
import time

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_CHUNK_BYTES = 1 << 20
_PARENT_CHECK_SECONDS = 1.0
_CONNECT_RETRY_SECONDS = 0.02

_libc = ctypes.CDLL(None, use_errno=True)


def _libc_call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def enter_private_network() -> None:
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
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _reason_for_no_namespace() -> str | None:
    """Enters a private network and returns None, or why the system forbids it."""
    try:
        enter_private_network()
    except OSError as error:
        return str(error)
    return None


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _start_worker(command: list[str], port: int) -> subprocess.Popen:
    def die_with_launcher() -> None:
        _libc_call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(
        [*command, f"--port={port}"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # the log: our own standard output carries the report alone
        preexec_fn=die_with_launcher,
    )


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


def _serve(client: socket.socket, port: int, worker: subprocess.Popen) -> None:
    """Connects one client to the worker, waiting until the worker listens."""
    with client, socket.socket() as upstream:
        while upstream.connect_ex(("127.0.0.1", port)) != 0:
            if worker.poll() is not None:
                return
            time.sleep(_CONNECT_RETRY_SECONDS)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
        back.start()
        _copy(client, upstream)
        back.join()


def _watch(
    worker: subprocess.Popen, run: int, port: int, listener: socket.socket | None = None
) -> None:
    """Serves connections until the run or the worker ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ, "run")
        selector.register(os.pidfd_open(worker.pid), selectors.EVENT_READ, "worker")
        if listener is not None:
            selector.register(listener, selectors.EVENT_READ, "connection")
        while os.getppid() == run:
            events = {key.data for key, _ in selector.select(_PARENT_CHECK_SECONDS)}
            if events & {"run", "worker"}:
                return
            if listener is not None and "connection" in events:
                client, _ = listener.accept()
                threading.Thread(target=_serve, args=(client, port, worker), daemon=True).start()


def _report(**fields: object) -> None:
    """Tells the run, in one line of JSON, how to reach the worker."""
    print(json.dumps(fields), flush=True)


def _run_closed(command: list[str], run: int, folder: pathlib.Path) -> None:
    path = folder / "socket"
    with _listen(path) as listener:
        port = _unused_port()
        worker = _start_worker(command, port)
        try:
            _report(target=f"unix:{path}", pid=worker.pid, folder=str(folder), open_because=None)
            _watch(worker, run, port, listener)
        finally:
            _end(worker)


def _run_open(command: list[str], run: int, reason: str) -> None:
    port = _unused_port()
    worker = _start_worker(command, port)
    try:
        _report(target=f"localhost:{port}", pid=worker.pid, folder=None, open_because=reason)
        _watch(worker, run, port)
    finally:
        _end(worker)


def _end(worker: subprocess.Popen) -> None:
    if worker.poll() is not None:  # it ended by itself, or was killed: worth a line in the log
        print(f"The worker ended by itself: exit code {worker.returncode}.", file=sys.stderr)
    worker.kill()
    worker.wait()


def _terminate(signal_number: int, frame: object) -> None:
    sys.exit(128 + signal_number)


def main() -> None:
    """Runs a worker until the run ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=int, required=True, help="Process id of our parent.")
    parser.add_argument("--open", action="store_true", help="Do not try to close the worker off.")
    parser.add_argument(
        "command", nargs="+", help="The worker binary and its flags, without --port."
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminate)
    open_because = "asked for" if options.open else _reason_for_no_namespace()
    if open_because is not None:
        _run_open(options.command, options.run, open_because)
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tff_lm_worker_"))  # mode 0700
    try:
        _run_closed(options.command, options.run, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
