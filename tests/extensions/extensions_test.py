"""One of each kind of part, each a file outside of the package, in real runs."""

# bazel: size = enormous
# bazel: data = //configs
# bazel: data = //tests/extensions/parts:my_codec //tests/extensions/parts:my_corpus
# bazel: data = //tests/extensions/parts:my_evaluation //tests/extensions/parts:my_model
# bazel: data = //tests/extensions/parts:my_noise //tests/extensions/parts:my_optimizer
# bazel: data = //tests/extensions/parts:my_stateful //tests/extensions/parts:my_stateless
# bazel: data = //tests/extensions/parts:my_wrapper
# bazel: imports = bin.evaluate bin.train

import json
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tff_lm import paths

PARTS = pathlib.Path(__file__).with_name("parts")
_REPOSITORY = pathlib.Path(paths.resolve("."))


class ExtensionsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        files = sorted(PARTS.glob("my_*.py"))
        self.assertLen(files, 9)
        self.flags = [
            "--config=configs/tiny.py",
            f"--config.extensions={','.join(map(str, files))}",
            f"--config.task.cache_dir={self.folder}/cache",
            "--config.task.name=counting",
            "--config.model.name=bigram_tiny",
        ]

    def run_program(self, module, *flags):
        done = subprocess.run(
            [sys.executable, "-m", module, *flags],
            cwd=_REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout + done.stderr

    def test_all_but_the_stateless_algorithm_in_one_run_that_is_resumed(self):
        workdir = self.folder / "run"
        flags = [
            f"--workdir={workdir}",
            *self.flags,
            "--config.algorithm.name=remembering",
            "--config.algorithm.server_optimizer=sign_momentum(beta=0.25)",
            "--config.algorithm.server_learning_rate=0.01",
            "--config.upload.codec=halved(mean_sign)",
            "--config.upload.min_elements=8",
            "--config.aggregation.sum_transforms=uniform_noise(width=0.001)",
            "--config.evaluation.names=validation, lately",
        ]
        self.run_program("bin.train", *flags, "--config.federated.rounds=2")
        self.run_program("bin.train", *flags, "--config.federated.rounds=4")
        summary = json.loads((workdir / "summary.json").read_text())
        self.assertEqual((summary["task"], summary["model"]), ("counting", "bigram_tiny"))
        self.assertEqual(summary["rounds"], 4)
        start, end = (summary["curve"][i]["validation_token_perplexity"] for i in (0, -1))
        self.assertLess(end, start)
        self.assertGreater(summary["evaluations"]["lately"]["tokens"], 0)
        self.assertLess(summary["evaluations"]["lately"]["tokens"], summary["test"]["tokens"])
        self.assertGreater(summary["communication"]["upload_reduction"], 20)
        shown = self.run_program("bin.evaluate", f"--workdir={workdir}", "--evaluation=lately")
        self.assertIn("lately", shown)

    def test_the_stateless_algorithm(self):
        flags = [f"--workdir={self.folder}/run", *self.flags, "--config.federated.rounds=1"]
        self.run_program("bin.train", *flags, "--config.algorithm.name=half_hearted")

    def test_a_name_that_no_extension_has_is_answered_with_the_nearest(self):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "bin.train"),
                f"--workdir={self.folder}/run",
                *self.flags,
                "--config.algorithm.name=half_harted",
            ],
            cwd=_REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "^error: algorithm.name .*did you mean half_hearted")
        self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    absltest.main()
