"""How programs end that cannot go on. Streams and signals are those of real processes."""

import errno
import os
import pathlib
import pty
import signal
import sqlite3
import subprocess
import sys
import textwrap

from absl.testing import absltest, parameterized

from tasks.errors import TaskError
from tff_lm.commands import failures
from tff_lm.config import ConfigError
from tff_lm.run_folder.errors import DamagedFileError, RunError
from tff_lm.runtime.errors import RuntimeFailure, WorkerStartError

TIMEOUT_SECONDS = 60
_PROGRAM = """
import pathlib, sys, time
from tff_lm.commands import failures

def main(arguments):
    {body}

failures.run(main)
"""


def os_error(number, path="/some/where"):
    return OSError(number, os.strerror(number), path)


def caused_by(error, cause):
    error.__cause__ = cause
    return error


class AnswerTest(parameterized.TestCase):
    @parameterized.parameters(
        (errno.EACCES, "Permission denied; make it readable and writable for you"),
        (errno.EROFS, "Read-only file system; make it readable and writable"),
        (errno.ENOSPC, "No space left on device; free some space there"),
        (errno.EFBIG, "File too large; .*ulimit -f"),
        (errno.ENOENT, "No such file or directory; restore it"),
        (errno.ENOTDIR, "Not a directory; name another place"),
        (errno.ENAMETOOLONG, "File name too long; name a shorter one"),
        (errno.EIO, "Input/output error; mend that"),
    )
    def test_an_error_of_the_system_names_path_reason_and_remedy(self, number, text):
        described = failures.describe(os_error(number))
        self.assertRegex(described, f"^/some/where: {text}.*, and run the same command again$")

    @parameterized.parameters(
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (MemoryError(), "not enough memory"),
        (sqlite3.OperationalError("database or disk is full"), "disk is full; free some space"),
    )
    def test_a_limit_is_named_with_what_raises_it(self, error, text):
        self.assertTrue(failures.is_known(error))
        self.assertIn(text, failures.describe(error))

    @parameterized.parameters(
        (ConfigError("a"), 2),
        (TaskError("a"), 2),
        (DamagedFileError("a"), 2),
        (os_error(errno.EACCES), 2),
        (MemoryError(), 2),
        (RunError("a"), 1),
        (RuntimeFailure("a", 0, None), 1),
        (caused_by(RunError("a"), os_error(errno.ENOSPC)), 2),
        (caused_by(RunError("a"), caused_by(WorkerStartError("b"), os_error(errno.EAGAIN))), 2),
    )
    def test_the_exit_code_tells_mistakes_from_runs_that_failed(self, error, code):
        self.assertTrue(failures.is_known(error))
        with absltest.mock.patch.object(sys, "stderr") as stderr:
            self.assertEqual(failures.answer(error), code)
        written = "".join(call.args[0] for call in stderr.write.call_args_list)
        self.assertRegex(written, r"\Aerror: [^\n]*\n\Z")

    @parameterized.parameters(ZeroDivisionError("a"), RuntimeError("a"), KeyError("a"))
    def test_what_is_our_own_fault_keeps_its_traceback(self, error):
        self.assertFalse(failures.is_known(error))


class RunTest(parameterized.TestCase):
    def start(self, body, shell="exec {command}", **options):
        program = _PROGRAM.format(body=body)
        file = self.create_tempfile("program.py", textwrap.dedent(program)).full_path
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(
            ["/bin/sh", "-c", shell.format(command=f"{sys.executable} {file}")],
            env=environment | options.pop("environment", {}),
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def outcome(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, out.decode(), err.decode()

    def test_what_is_returned_is_the_exit_code(self):
        self.assertEqual(self.outcome("return 3")[0], 3)

    def test_an_error_is_one_line(self):
        code, out, err = self.outcome("open('/dev/null/x')")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(
            err,
            "error: /dev/null/x: Not a directory; name another place, and run the same command "
            "again\n",
        )

    def test_a_thread_without_room_for_another_leaves_it_to_the_main_one(self):
        body = (
            "import threading; "
            "raises = lambda text: (_ for _ in ()).throw(RuntimeError(text)); "
            "[(each.start(), each.join()) for each in ("
            "threading.Thread(target=raises, args=(text,)) for text in "
            '("can\'t start new thread", "a fault"))]'
        )
        code, _, err = self.outcome(body)
        self.assertEqual(code, 0)
        self.assertEqual(err.count("Exception in thread"), 1)
        self.assertIn("RuntimeError: a fault", err)

    def test_a_fault_of_ours_is_a_traceback(self):
        code, _, err = self.outcome("1 / 0")
        self.assertEqual(code, 1)
        self.assertIn("Traceback", err)

    def test_closed_streams_are_nobody_elses(self):
        """Without a descriptor of their own, messages would go into the file that is opened."""
        file = self.create_tempfile("file.txt").full_path
        body = f"opened = open({file!r}, 'w'); print('lost', file=sys.stderr); 1 / 0"
        code, out, _ = self.outcome(body, "exec {command} 2>&-")
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(pathlib.Path(file).read_text(), "")
        code, _, err = self.outcome("print('lost'); open('/dev/null/x')", "exec {command} >&- <&-")
        self.assertEqual(code, 2)
        self.assertLen(err.splitlines(), 1)

    def test_a_stream_that_can_only_be_read_takes_messages_all_the_same(self):
        body = "print('lost', file=sys.stderr, flush=True); print('on')"
        self.assertEqual(self.outcome(body, "exec {command} 2</dev/null")[:2], (0, "on\n"))

    def test_what_cannot_be_printed_is_spelt(self):
        for environment in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}):
            code, out, err = self.outcome("print('caf\\u00e9 \\u0436')", environment=environment)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(out, ("caf\\xe9 \\u0436\n", "caf\u00e9 \u0436\n"))

    def test_a_reader_that_has_seen_enough_ends_it_without_a_word(self):
        code, _, err = self.outcome("print('x' * 10)", "{command} | true; exit 0")
        self.assertEqual((code, err), (0, ""))
        body = "[print('x' * 1000) for _ in range(1000)]"
        self.assertEqual(self.outcome(body, "{command} | head -c 1")[1:], ("x", ""))

    def test_output_that_finds_no_room_is_a_line(self):
        for unbuffered in ("", "1"):
            code, _, err = self.outcome(
                "print('x')",
                "exec {command} > /dev/full",
                environment={"PYTHONUNBUFFERED": unbuffered},
            )
            self.assertEqual(code, 2)
            self.assertStartsWith(err, "error: standard output: No space left on device; free some")
            self.assertLen(err.splitlines(), 1)

    def test_ctrl_c_is_a_line(self):
        process = self.start("print('ready', flush=True); time.sleep(600)")
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT_SECONDS)
        self.assertEqual((process.returncode, err), (130, b"stopped\n"))

    def test_a_terminal_that_is_closed_ends_nothing(self):
        lived = pathlib.Path(self.create_tempdir().full_path) / "lived"
        body = (
            "print('ready', flush=True); sys.stdin.read(); print('a', flush=True); "
            f"print('b', file=sys.stderr); pathlib.Path({str(lived)!r}).touch()"
        )
        ours, theirs = pty.openpty()
        process = self.start(body, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.assertEqual(os.read(ours, 100), b"ready\r\n")
        os.close(ours)
        process.communicate(timeout=TIMEOUT_SECONDS)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(lived.exists())


if __name__ == "__main__":
    absltest.main()
