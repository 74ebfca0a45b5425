# bazel: imports = bin.prepare_data

import os
import subprocess
import sys

from absl.testing import absltest

from tests.tasks import fixtures


class PrepareDataTest(absltest.TestCase):
    def run_program(self, *arguments: str) -> subprocess.CompletedProcess:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TFF_LM_CACHE": self.create_tempdir().full_path,
        }
        command = [sys.executable, "-m", "bin.prepare_data", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def test_prints_what_is_there_and_where(self):
        path = fixtures.write_json_lines(self.create_tempdir().full_path)
        done = self.run_program("--task=text", f"--path={path}", "--vocabulary_size=100")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"train +2 +10 ")
        folder = done.stdout.splitlines()[-1].removeprefix("data: ")
        self.assertTrue(os.path.isfile(os.path.join(folder, "clients.sqlite")))

    def test_bad_input_is_one_line_and_exit_code_2(self):
        for arguments, message in (
            (["--task=chatt"], "unknown task 'chatt'; did you mean chat?"),
            (["--task=text"], "say where your text lies"),
            (["--task=text", "--path=/nowhere"], "nothing at /nowhere"),
            (["--task=git", "--path=/nowhere"], "git: there is no folder /nowhere"),
            (["--task=chat", "--unseen=x"], "task.unseen: task 'chat' has no unseen part"),
            (["chat"], "unexpected argument 'chat'"),
        ):
            done = self.run_program(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr)
            self.assertLen(done.stderr.splitlines(), 1)


if __name__ == "__main__":
    absltest.main()
