"""What every program answers where a file, a folder or the system is in its way.

The programs run in this process: none of the mistakes takes TensorFlow to find.
"""

# bazel: data = //configs //configs/sweeps
# bazel: imports = bin.evaluate bin.export bin.plan bin.prepare_data bin.pretrain bin.report
# bazel: imports = bin.suggest bin.sweep bin.train bin.worker

import contextlib
import io
import os
import pathlib
import runpy
import sys
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tests.tasks import fixtures
from tff_lm.config import python_file
from tff_lm.run_folder.workdir import Workdir

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = sorted(path.stem for path in (ROOT / "bin").glob("[a-z]*.py"))
_PRESET = ROOT / "configs" / "chat.py"
_READS_A_RUN = ("evaluate", "suggest", "export")


def run(program, *arguments, **environment):
    """Runs `python -m bin.PROGRAM`; returns its exit code and what it printed on each stream."""
    out, err = io.StringIO(), io.StringIO()
    before = set(flags.FLAGS)
    variables = {"BUILD_WORKING_DIRECTORY": str(ROOT), **environment}
    try:
        with (
            mock.patch.object(sys, "argv", [program, *arguments]),
            mock.patch.dict(os.environ, variables),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            runpy.run_module(f"bin.{program}", run_name="__main__")
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
    raise AssertionError(f"bin.{program} did not exit")


class FailuresTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.folder / "a file"
        self.file.touch()
        self.beyond = self.file / "below"  # which nobody can make, not even root

    def workdir(self):
        """The folder of a run that has begun."""
        workdir = Workdir(self.folder / "run")
        workdir.create()
        workdir.config.write_text(config_lib.to_json(python_file.load_preset(str(_PRESET))))
        return workdir

    def assert_one_line(self, pattern, program, *arguments, **environment):
        code, _, err = run(program, *arguments, **environment)
        self.assertEqual(code, 2, msg=err)
        self.assertRegex(err, rf"\Aerror: [^\n]*{pattern}[^\n]*\n\Z")

    @parameterized.parameters(*PROGRAMS)
    def test_every_program_ends_in_one_place(self, program):
        text = (ROOT / "bin" / f"{program}.py").read_text()
        self.assertRegex(text, r'if __name__ == "__main__":\n    failures\.run\(main\)\n\Z')

    @parameterized.parameters(*_READS_A_RUN)
    def test_a_folder_without_a_run_or_with_a_damaged_one(self, program):
        more = [f"--out={self.folder / 'out'}"] if program == "export" else []
        workdir = self.workdir()
        arguments = (f"--workdir={workdir.root}", *more)
        self.assert_one_line("holds no run", program, f"--workdir={self.folder}", *more)
        self.assert_one_line(
            "a file/below.*config.json|Not a directory", program, f"--workdir={self.beyond}", *more
        )
        for content in (b"", b'{"seed": ', b"[]", b"null", b"\xff\xfe"):
            workdir.config.write_bytes(content)
            self.assert_one_line(
                r"run/config\.json .*restore it or start anew", program, *arguments
            )
        workdir.config.unlink()
        workdir.config.mkdir()
        self.assert_one_line(r"run/config\.json: Is a directory; name", program, *arguments)

    @parameterized.parameters(*_READS_A_RUN)
    def test_checkpoints_that_are_not_there_or_cut(self, program):
        more = [f"--out={self.folder / 'out'}"] if program == "export" else []
        workdir = self.workdir()
        code, _, err = run(program, f"--workdir={workdir.root}", *more)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"\Aerror: no checkpoint in .*: the run has none yet\n\Z")
        (workdir.checkpoints / "round_000001.npz").write_bytes(b"PK")
        code, _, err = run(program, f"--workdir={workdir.root}", "--checkpoint=latest", *more)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"\Aerror: no checkpoint in [^\n]* 1 is whole; restore one\n\Z")

    def test_train_where_the_folder_or_its_files_are_in_the_way(self):
        train = ("train", f"--config={_PRESET}")
        self.assert_one_line("a file/below cannot be created", *train, f"--workdir={self.beyond}")
        workdir = self.workdir()
        for content in (b"", b"{", b"[]", b'{"rounds": null}'):
            workdir.summary.write_bytes(content)
            self.assert_one_line(
                r"run/summary\.json is damaged .*remove it", *train, f"--workdir={workdir.root}"
            )

    def test_prepared_data_that_cannot_be_written_names_the_variable(self):
        path = fixtures.write_json_lines(str(self.folder))
        self.assert_one_line(
            "a file/below.*Not a directory.*TFF_LM_CACHE",
            "prepare_data",
            "--task=text",
            f"--path={path}",
            TFF_LM_CACHE=str(self.beyond),
        )

    def test_sweep_report_plan_worker(self):
        self.assert_one_line(
            "a file.*place", "sweep", "--sweep=configs/sweeps/codecs.py", f"--workdir={self.beyond}"
        )
        summary = self.workdir().summary
        summary.touch()
        self.assert_one_line(r"run/summary\.json is not JSON", "report", str(summary.parent))
        self.assert_one_line("there is no folder", "report", str(self.beyond))
        self.assert_one_line(
            "is no summary.json", "plan", "--model=lstm_tiny", f"--speed_of={self.beyond}"
        )
        self.assert_one_line("ca.pem is missing", "worker", f"--certificates={self.beyond}")
        self.assert_one_line("give --certificates=FOLDER", "worker")
        self.assert_one_line("a file.*place", "worker", f"--make_certificates={self.beyond}")


if __name__ == "__main__":
    absltest.main()
