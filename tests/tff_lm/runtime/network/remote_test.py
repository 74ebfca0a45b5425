"""Workers as on other machines: `bin.worker` processes, each TFF worker in its own namespace."""

# bazel: imports = bin.worker

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
from absl.testing import absltest, parameterized

from tests.tff_lm.runtime import toy_process
from tff_lm.client_order import ClientOrder
from tff_lm.runtime.network import certificates, remote, tunnel
from tff_lm.runtime.processes import worker
from tff_lm.runtime.rounds import resident

_PROCESS = toy_process.learning_process()
_PATIENCE_SECONDS = 30.0


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


class Machine:
    """A `bin.worker` process."""

    def __init__(self, folder: pathlib.Path, log: pathlib.Path):
        self.port = _unused_port()
        flags = [f"--port={self.port}", f"--certificates={folder}", "--concurrency=1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bin.worker", *flags, f"--log={log}"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if "Serving on port" in line:
                return
            if "no network namespaces" in line:
                raise absltest.SkipTest("This system allows no network namespaces.")
        raise AssertionError("bin.worker did not start.")

    @property
    def address(self) -> str:
        return f"localhost:{self.port}/1"

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def tff_worker(self) -> psutil.Process:
        return next(child for child in self.children() if "worker_binary" in child.name())

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        self.process.send_signal(signal_number)
        self.process.wait(_PATIENCE_SECONDS)
        self.process.stderr.close()


@absltest.skipIf(
    shutil.which("stunnel") is None or shutil.which("openssl") is None,
    "stunnel or openssl is not installed (apt-get install stunnel4 openssl).",
)
class RemoteTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.certificates = self.root / "certificates"
        certificates.make(self.certificates)

    def machine(self) -> Machine:
        machine = Machine(self.certificates, self.root / "worker.log")
        self.addCleanup(machine.stop)
        return machine


def _slow_orders(round_number: int) -> list[ClientOrder]:
    return [ClientOrder(7, round_number, f"client{index}/slow") for index in range(6)]


def _orders(round_number: int) -> list[ClientOrder]:
    return [ClientOrder(7, round_number, f"client{index}") for index in range(6)]


class RoundsTest(RemoteTestCase):
    def run_rounds(self, workers, before_slow_round=lambda: None):
        """Runs three rounds, the second a slow one; returns metrics and state."""
        with resident.WorkerPool(workers) as runtime:
            process = resident.ResidentProcess(runtime, _PROCESS.initialize, _PROCESS.next)
            process.initialize()
            metrics = [process.next(_orders(0))]
            before_slow_round()
            metrics += [process.next(_slow_orders(1)), process.next(_orders(2))]
            return metrics, process.state_arrays()

    def assert_same(self, left, right):
        self.assertEqual(left[0], right[0])
        for name in left[1]:
            np.testing.assert_array_equal(left[1][name], right[1][name], err_msg=name)

    def test_result_is_that_of_local_workers_whoever_dies(self):
        options = worker.WorkerOptions(concurrency=1)
        expected = self.run_rounds([worker.LocalWorker(options) for _ in range(2)])
        machines = [self.machine() for _ in range(2)]
        addresses = ",".join(machine.address for machine in machines)
        workers = remote.parse_workers(addresses, self.certificates)
        self.assert_same(self.run_rounds(workers), expected)

        def soon(action) -> None:
            threading.Timer(0.2, action).start()

        kills = {
            "the TFF worker of the second machine": lambda: machines[1].tff_worker().kill(),
            "the TFF worker of the first machine": lambda: machines[0].tff_worker().kill(),
            "the first machine": lambda: machines[0].process.kill(),
        }
        for name, kill in kills.items():
            with self.subTest(name), self.assertLogs("absl", "WARNING") as logs:
                actual = self.run_rounds(workers, lambda kill=kill: soon(kill))
            self.assertIn("worker died", "".join(logs.output))
            self.assert_same(actual, expected)


class AccessTest(RemoteTestCase):
    def setUp(self):
        super().setUp()
        self.here = self.machine()

    def answers(self, folder: pathlib.Path | None, certificate: str = "run.pem") -> bool:
        """Whether the worker's end lets bytes through to somebody with that certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if folder is not None:
            context.load_cert_chain(folder / certificate)
        address = ("localhost", self.here.port)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(address, timeout=10.0) as plain,
            context.wrap_socket(plain) as secured,
        ):
            # HTTP/2's greeting and an empty settings frame; a gRPC server answers with its own.
            secured.sendall(
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
            )
            return bool(secured.recv(1))
        return False

    def test_only_runs_of_the_group_get_through(self):
        strangers = self.root / "strangers"
        certificates.make(strangers)
        self.assertTrue(self.answers(self.certificates))
        self.assertFalse(self.answers(None), "somebody without a certificate got through")
        self.assertFalse(self.answers(strangers), "somebody of another group got through")
        self.assertFalse(
            self.answers(self.certificates, "worker.pem"), "a worker got through as a run"
        )

    def test_run_refuses_a_worker_of_another_group(self):
        strangers = self.root / "strangers"
        certificates.make(strangers)
        shutil.copy(self.certificates / "run.pem", strangers / "run.pem")  # it would let us in
        with (
            tunnel.to_worker(f"localhost:{self.here.port}", strangers) as end,
            socket.socket(socket.AF_UNIX) as client,
        ):
            self.assertTrue(_connects(client, end.socket_path))
            self.assertEqual(client.recv(1), b"")

    def test_worker_is_a_new_one_after_each_run(self):
        before = self.here.tff_worker().pid
        self.assertTrue(self.answers(self.certificates))
        for line in self.here.process.stderr:
            if "Serving on port" in line:
                break
        self.assertNotEqual(self.here.tff_worker().pid, before)

    @parameterized.parameters(signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
    def test_nothing_is_left(self, signal_number):
        children = self.here.children()
        self.assertLen(children, 4)  # the TFF worker, stunnel, and a launcher of each
        commands = " ".join(word for child in children for word in child.cmdline())
        folders = set(re.findall(r"--folder=(\S+)", commands))
        self.assertLen(folders, 2)
        self.here.stop(signal_number)
        _, alive = psutil.wait_procs(children, _PATIENCE_SECONDS)
        self.assertEmpty(alive)
        for folder in folders:
            self.assertFalse(pathlib.Path(folder).exists())


def _connects(client: socket.socket, path: pathlib.Path) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while client.connect_ex(str(path)) != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class RefusalTest(RemoteTestCase):
    """What `bin.worker` says when it cannot serve."""

    def outcome(self, *flags: str, within: tuple[str, ...] = ()) -> str:
        result = subprocess.run(
            [*within, sys.executable, "-m", "bin.worker", *flags],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        self.assertNotEqual(result.returncode, 0)
        return result.stderr

    def test_no_namespaces(self):
        forbid = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
        within = ("unshare", "--user", "--map-root-user", "--", "bash", "-c", forbid, "bash")
        message = self.outcome(f"--certificates={self.certificates}", within=within)
        if "unshare failed" in message:
            self.skipTest("Cannot forbid namespaces here.")
        self.assertIn("see --open_worker", message)

    def test_port_is_taken(self):
        with socket.socket(socket.AF_INET6) as taken:
            taken.bind(("::", 0))
            taken.listen()
            port = taken.getsockname()[1]
            message = self.outcome(f"--port={port}", f"--certificates={self.certificates}")
        self.assertIn(f"is port {port} taken?", message)

    def test_no_certificates(self):
        self.assertIn("give --certificates", self.outcome())
        self.assertIn("ca.pem is missing", self.outcome(f"--certificates={self.root}"))


class ParseTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("ca.pem", "run.pem"):
            (self.folder / name).touch()

    def test_addresses_and_clients(self):
        workers = remote.parse_workers("one:7000/16, two:7001", self.folder)
        self.assertEqual([each.address for each in workers], ["one:7000", "two:7001"])
        self.assertEqual(workers[0].concurrency, 16)
        self.assertEqual(workers[1].concurrency, worker.WorkerOptions().concurrency)

    @parameterized.parameters("one", "one:7000/0", "one:7000;two:7000", "", "one:7000,")
    def test_refuses(self, text):
        with self.assertRaisesRegex(ValueError, "write host:port"):
            remote.parse_workers(text, self.folder)

    def test_needs_certificates(self):
        (self.folder / "run.pem").unlink()
        with self.assertRaisesRegex(certificates.CertificateError, "run.pem is missing"):
            remote.parse_workers("one:7000", self.folder)


if __name__ == "__main__":
    absltest.main()
