"""bin.plan as a user runs it."""

# bazel: imports = bin.plan

import os
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

ROOT = pathlib.Path(__file__).parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bin.plan", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )


class PlanTest(parameterized.TestCase):
    def test_tables_flags_and_cost(self):
        done = run(
            "--model=lstm_tiny",
            "--vocabulary_size=300",
            "--upload_mb=0.004",
            "--download_mb=0.02",
            "--tokens=100",
            "--tokens_per_second=1000",
        )
        self.assertEqual(done.returncode, 0, msg=done.stderr)
        self.assertIn("upload of a client in a round within 4 kB", done.stdout)
        self.assertIn("--config.task.vocabulary_size=300", done.stdout)
        self.assertIn("machine hours   17 at 1,000 tokens/s", done.stdout)

    @parameterized.parameters(
        (["--model=lstm_tin"], "did you mean lstm_tiny"),
        (["--modl=lstm_tiny"], "Unknown command line flag 'modl'"),
        ([], "--model is missing"),
        (["--model=lstm_tiny", "--fractions=0.1,x"], "--fractions"),
        (["--model=lstm_tiny", "--tokens_per_second=10"], "--tokens is missing"),
        (["--model=lstm_tiny", "--clients=0"], "--clients=0"),
        (["--model=lstm_tiny", "--upload_mb=0.0001"], "the smallest possible is .* --upload_mb="),
    )
    def test_mistakes_end_with_one_line_and_code_2(self, arguments, message):
        done = run(*arguments)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, f"^error: .*{message}.*\n$")
        self.assertEmpty(done.stdout)


if __name__ == "__main__":
    absltest.main()
