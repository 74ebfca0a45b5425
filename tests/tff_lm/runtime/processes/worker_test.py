"""Real worker processes: none outlives its run, none can be reached by others."""

import errno
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from unittest import mock

from absl.testing import absltest, parameterized

from tff_lm.runtime import errors
from tff_lm.runtime.processes import child_process, worker

_PATIENCE_SECONDS = 20.0
_NOBODY = 65534

# A run that starts a worker, tells about it, and then does what the test asks for.
_RUN = """
import json, os, signal, sys, threading, time
from tff_lm.runtime.processes import worker

started = worker.LocalWorker(worker.WorkerOptions(concurrency=1))
started.start()
print(json.dumps({"worker": started.pid, "launcher": started.launcher_pid,
                  "target": started.target}), flush=True)
"""


def _start_run(then: str, **popen_arguments) -> tuple[subprocess.Popen, dict]:
    """Starts a Python process with a worker that runs `then`; returns it and what it told."""
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN + textwrap.dedent(then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **popen_arguments,
    )
    return run, json.loads(run.stdout.readline())


def _runs(pid: int) -> bool:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return re.search(r"^State:\s+Z", status, re.MULTILINE) is None


def _becomes_true(condition) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _socket_path(target: str) -> pathlib.Path:
    return pathlib.Path(target.removeprefix("unix:"))


def _can_become(user: int) -> bool:
    """Whether this process may act as `user`: root may, unless a sandbox maps root alone."""
    rows = pathlib.Path("/proc/self/uid_map").read_text().splitlines()
    ranges = [(int(first), int(count)) for first, _, count in map(str.split, rows)]
    return os.getuid() == 0 and any(first <= user < first + count for first, count in ranges)


def _connect_as(user: int, path: pathlib.Path) -> int:
    """Tries to connect as another user; returns the error number, 0 if it worked."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        os._exit(socket.socket(socket.AF_UNIX).connect_ex(str(path)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class EndTest(parameterized.TestCase):
    """Each way in which a run can end."""

    def assert_nothing_left(self, told):
        folder = _socket_path(told["target"]).parent
        self.assertTrue(_becomes_true(lambda: not _runs(told["worker"])), "the worker lives on")
        self.assertTrue(_becomes_true(lambda: not _runs(told["launcher"])), "the launcher lives on")
        self.assertTrue(_becomes_true(lambda: not folder.exists()), f"{folder} is left")

    @parameterized.named_parameters(
        ("normal_exit", ""),
        ("stopped", "started.stop()"),
        ("exception", "raise ValueError('a mistake')"),
        ("os_exit", "os._exit(3)"),
    )
    def test_run_ends_by_itself(self, then):
        run, told = _start_run(then)
        run.wait(_PATIENCE_SECONDS)
        self.assert_nothing_left(told)

    @parameterized.named_parameters(
        ("terminate", signal.SIGTERM), ("interrupt", signal.SIGINT), ("kill", signal.SIGKILL)
    )
    def test_run_is_ended_by(self, signal_number):
        run, told = _start_run("time.sleep(600)")
        self.assertTrue(_runs(told["worker"]))
        run.send_signal(signal_number)
        run.wait(_PATIENCE_SECONDS)
        self.assert_nothing_left(told)

    def test_kill_while_a_forked_child_holds_the_pipe_open(self):
        run, told = _start_run("""
            child = os.fork()
            if child == 0:
                time.sleep(600)
            print(child, flush=True)
            time.sleep(600)
        """)
        child = int(run.stdout.readline())
        try:
            run.kill()
            run.wait(_PATIENCE_SECONDS)
            self.assert_nothing_left(told)
        finally:
            os.kill(child, signal.SIGKILL)

    def test_killed_launcher_takes_the_worker_along(self):
        with worker.LocalWorker(worker.WorkerOptions(concurrency=1)) as started:
            told = {
                "worker": started.pid,
                "launcher": started.launcher_pid,
                "target": started.target,
            }
            os.kill(told["launcher"], signal.SIGKILL)
            self.assertTrue(_becomes_true(lambda: not _runs(told["worker"])))
            self.assertFalse(started.alive())
        self.assert_nothing_left(told)

    def test_worker_outlives_the_thread_that_started_it(self):
        started = worker.LocalWorker(worker.WorkerOptions(concurrency=1))
        thread = threading.Thread(target=started.start)
        thread.start()
        thread.join()
        time.sleep(0.2)
        self.assertTrue(started.alive())
        self.assertTrue(_runs(started.pid))
        started.stop()

    def test_start_again_after_the_worker_was_killed(self):
        with worker.LocalWorker(worker.WorkerOptions(concurrency=1)) as started:
            first = started.pid
            os.kill(first, signal.SIGKILL)
            self.assertTrue(_becomes_true(lambda: not started.alive()))
            started.start()
            self.assertNotEqual(started.pid, first)
            self.assertTrue(_runs(started.pid))


class OptionsTest(absltest.TestCase):
    def test_log_goes_to_the_file(self):
        log = pathlib.Path(self.create_tempdir().full_path) / "logs" / "worker.log"
        options = worker.WorkerOptions(concurrency=1, log_path=str(log))
        with worker.LocalWorker(options) as started:
            os.kill(started.pid, signal.SIGKILL)
            self.assertTrue(_becomes_true(lambda: not started.alive()))
        self.assertIn("exit code -9", log.read_text())

    def test_environment_and_threads_reach_the_worker(self):
        options = worker.WorkerOptions(
            concurrency=3, threads_per_client=2, environment={"TFF_LM_TEST": "on"}
        )
        with worker.LocalWorker(options) as started:
            environment = pathlib.Path(f"/proc/{started.pid}/environ").read_text().split("\0")
        self.assertContainsSubset(
            {"TFF_LM_TEST=on", "TF_NUM_INTRAOP_THREADS=2", "OMP_NUM_THREADS=2"}, environment
        )

    def test_refuses_no_concurrency(self):
        with self.assertRaisesRegex(ValueError, "concurrency must be at least 1, got 0"):
            worker.WorkerOptions(concurrency=0)

    def test_not_started(self):
        started = worker.LocalWorker()
        self.assertFalse(started.alive())
        with self.assertRaisesRegex(RuntimeError, "not running"):
            _ = started.target


class ClosedTest(absltest.TestCase):
    """Attempts to reach a worker from outside."""

    def setUp(self):
        super().setUp()
        self.worker = self.enter_context(worker.LocalWorker(worker.WorkerOptions(concurrency=1)))
        if not self.worker.is_closed:
            self.skipTest("This system allows no network namespaces.")

    def test_port_cannot_be_reached_from_outside_the_namespace(self):
        command = pathlib.Path(f"/proc/{self.worker.pid}/cmdline").read_text()
        port = int(re.search(r"--port=(\d+)", command).group(1))
        self.assertTrue(_becomes_true(lambda: self._listens(port)), "the worker never listened")
        for address in ("127.0.0.1", socket.gethostname()):
            with self.assertRaises(OSError):
                socket.create_connection((address, port), timeout=2.0)

    def _listens(self, port: int) -> bool:
        """Whether a process of the worker's namespace listens on `port`."""
        tables = [pathlib.Path(f"/proc/{self.worker.pid}/net/{name}") for name in ("tcp", "tcp6")]
        return any(f":{port:04X} " in table.read_text() for table in tables if table.exists())

    def test_only_a_loopback_interface_is_inside(self):
        interfaces = pathlib.Path(f"/proc/{self.worker.pid}/net/dev").read_text()
        self.assertEqual(re.findall(r"^\s*(\S+):", interfaces, re.MULTILINE), ["lo"])

    def test_another_user_cannot_connect(self):
        path = _socket_path(self.worker.target)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(path.parent.stat().st_mode & 0o777, 0o700)
        if not _can_become(_NOBODY):
            self.skipTest("Only root, outside a sandbox, can act as another user.")
        self.assertEqual(_connect_as(_NOBODY, path), errno.EACCES)
        self.assertEqual(_connect_as(os.getuid(), path), 0)


class OpenTest(absltest.TestCase):
    """Where the system allows no namespaces."""

    def test_one_warning_says_what_is_open(self):
        script = _RUN + textwrap.dedent("""
            print(started.is_closed, flush=True)
            again = worker.LocalWorker(worker.WorkerOptions(concurrency=1))
            again.start()
        """)
        forbid = 'echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"'
        within = ["unshare", "--user", "--map-root-user", "--", "bash", "-c", forbid, "bash"]
        result = subprocess.run(
            [*within, sys.executable, "-c", script],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        if "max_net_namespaces" in result.stderr or "unshare failed" in result.stderr:
            self.skipTest(f"Cannot forbid namespaces here: {result.stderr.splitlines()[0]}")
        self.assertIn("False", result.stdout, result.stderr)
        self.assertEqual(result.stderr.count("without authentication"), 1, result.stderr)


class LimitTest(absltest.TestCase):
    """Where no process can be started."""

    def start(self):
        process = child_process.ChildProcess()
        process.make_folder()
        self.addCleanup(shutil.rmtree, process.folder, ignore_errors=True)
        process.start(["/nowhere/worker_binary"])

    def test_what_the_launcher_could_not_start_is_told_with_the_reason(self):
        with self.assertRaisesRegex(
            errors.WorkerStartError, "worker_binary did not start: .*No such file.*ulimit -a"
        ):
            self.start()

    def test_a_launcher_that_cannot_be_started_is_a_start_error_too(self):
        refused = BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        with (
            mock.patch.object(subprocess, "Popen", side_effect=refused),
            self.assertRaisesRegex(errors.WorkerStartError, "Resource temporarily unavailable"),
        ):
            self.start()


class SocketFolderTest(absltest.TestCase):
    def test_a_long_tmpdir_has_no_part_in_the_path_of_a_socket(self):
        """The system allows 107 characters."""
        long = self.create_tempdir("x" * 90).full_path
        with mock.patch.object(tempfile, "tempdir", long):
            process = child_process.ChildProcess()
            folder = process.make_folder()
        self.addCleanup(folder.rmdir)
        self.assertLess(len(str(process.socket_path)), 108)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(process.socket_path))
        process.socket_path.unlink()

    def test_no_folder_is_a_line(self):
        with (
            mock.patch.object(tempfile, "tempdir", "/nowhere"),
            self.assertRaisesRegex(errors.WorkerStartError, "/nowhere.*set TMPDIR"),
        ):
            child_process.ChildProcess().make_folder()


if __name__ == "__main__":
    absltest.main()
