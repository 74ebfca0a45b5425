import errno
import multiprocessing
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import textwrap

from absl.testing import absltest

from tasks import cache
from tasks.errors import TaskError

_KILLED = textwrap.dedent("""
    import pathlib, sys, time
    from tasks import cache

    def fill(folder):
        (pathlib.Path(folder) / "data").write_text("half")
        print("writing", flush=True)
        time.sleep(600)

    cache.prepare_folder(sys.argv[1], fill)
""")


def _fill(folder: str) -> None:
    (pathlib.Path(folder) / "data").write_text("whole")


def _prepare_and_log(folder: str, log: str) -> None:
    def fill(temporary: str) -> None:
        with open(log, "a", encoding="utf-8") as file:
            file.write("filled\n")
        _fill(temporary)

    cache.prepare_folder(folder, fill)


class CacheTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.parent = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.parent / "chat-1"
        self.data = self.folder / "data"

    def visible(self) -> list[str]:
        return [name for name in os.listdir(self.parent) if not name.startswith(".")]

    def remains(self) -> list[str]:
        return [name for name in os.listdir(self.parent) if ".tmp-" in name]

    def prepare(self, fill=_fill) -> None:
        self.assertEqual(cache.prepare_folder(str(self.folder), fill), str(self.folder))

    def test_fills_once(self):
        self.prepare()
        self.prepare(fill=lambda _: self.fail("prepared again"))
        self.assertEqual(self.data.read_text(), "whole")

    def test_a_folder_that_cannot_be_written_to_is_named_with_its_variable(self):
        (self.parent / "file").touch()
        beyond = self.parent / "file" / "cache" / "chat-1"
        with self.assertRaisesRegex(
            TaskError,
            rf"{self.parent}/file/cache, cannot be written.*Not a directory.*TFF_LM_CACHE",
        ):
            cache.prepare_folder(str(beyond), _fill)

    def test_a_full_disk_is_told_with_the_folder(self):
        def full(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def full_database(folder):
            raise sqlite3.OperationalError("database or disk is full")

        for fill in (full, full_database):
            with self.assertRaisesRegex(TaskError, f"{self.parent}, cannot be .*(space|full)"):
                self.prepare(fill)
        self.assertEmpty(self.remains())

    def test_what_is_wrong_with_the_users_own_text_is_left_to_say(self):
        def read(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/of/the/user.csv")

        with self.assertRaisesRegex(PermissionError, "/of/the/user.csv"):
            self.prepare(read)

    def test_a_failed_preparation_leaves_nothing(self):
        def fail(folder):
            _fill(folder)
            raise ValueError("no")

        with self.assertRaisesRegex(ValueError, "no"):
            self.prepare(fail)
        self.assertEmpty(self.visible())
        self.assertEmpty(self.remains())

    def test_a_killed_preparation_leaves_nothing_that_counts(self):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(self.folder)],
            stdout=subprocess.PIPE,
            env=environment,
        ) as victim:
            self.assertEqual(victim.stdout.readline(), b"writing\n")
            victim.send_signal(signal.SIGKILL)
        self.assertEmpty(self.visible())
        self.assertLen(self.remains(), 1)
        self.prepare()
        self.assertEqual(self.data.read_text(), "whole")
        self.assertEmpty(self.remains())

    def test_a_truncated_file_is_noticed(self):
        self.prepare()
        self.data.write_text("who")
        with self.assertLogs(level="WARNING") as logs:
            self.prepare()
        self.assertIn("is damaged", logs.output[0])
        self.assertEqual(self.data.read_text(), "whole")

    def test_a_missing_file_is_noticed(self):
        self.prepare()
        self.data.unlink()
        self.prepare()
        self.assertEqual(self.data.read_text(), "whole")

    def test_processes_at_once_take_turns(self):
        log = self.parent / ".log"
        context = multiprocessing.get_context("fork")
        processes = [
            context.Process(target=_prepare_and_log, args=(str(self.folder), str(log)))
            for _ in range(4)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        self.assertEqual([process.exitcode for process in processes], [0] * 4)
        self.assertEqual(log.read_text(), "filled\n")
        self.assertEqual(self.data.read_text(), "whole")

    def test_key_depends_on_every_ingredient(self):
        keys = {
            cache.cache_key(ingredients)
            for ingredients in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": None}, {"a": "1"})
        }
        self.assertLen(keys, 5)
        self.assertEqual(cache.cache_key({"a": 1, "b": 2}), cache.cache_key({"b": 2, "a": 1}))


if __name__ == "__main__":
    absltest.main()
