"""The notebook runs from top to bottom, at tiny settings, and leaves no process behind."""

# bazel: size = enormous
# bazel: data = //configs //notebooks:federated_language_models.ipynb
# bazel: imports = bin.plan bin.suggest bin.train ipykernel matplotlib

import json
import os
import pathlib
import sys

import nbclient
import nbformat
import psutil
from absl.testing import absltest

from tests.tasks import fixtures

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "federated_language_models.ipynb"
CELL_TIMEOUT_SECONDS = 900
ROUNDS = 2


def environment(folder):
    """A short run on a small corpus, and nothing written outside of `folder`."""
    data = fixtures.write_json_lines(str(folder), per_split=6, each=20)
    settings = (
        "--config=configs/tiny.py",
        f"--config.task.path={data}",
        "--config.partial.min_size=64",
        "--config.evaluation.clients=2",
    )
    return {
        **os.environ,
        "BUILD_WORKING_DIRECTORY": str(ROOT),
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "NOTEBOOK_ROUNDS": str(ROUNDS),
        "NOTEBOOK_RUNS": str(folder / "runs"),
        "NOTEBOOK_SETTINGS": " ".join(settings),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "TFF_LM_CACHE": str(folder / "cache"),
    }


def outputs(cell):
    """What a cell printed, and how many pictures it shows."""
    text = "".join(each.text for each in cell.outputs if each.output_type == "stream")
    pictures = [each for each in cell.outputs if "image/png" in each.get("data", {})]
    return text, len(pictures)


def _children():
    return set(psutil.Process().children(recursive=True))


class NotebookTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = _children()  # of other tests
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / f"notebook_{os.getpid()}"
        cls.folder.mkdir(parents=True)
        os.environ["JUPYTER_RUNTIME_DIR"] = str(cls.folder / "jupyter")  # the client's, too
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client = nbclient.NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        )
        client.execute(env=environment(cls.folder))
        cls.cells = {cell.id: outputs(cell) for cell in notebook.cells if "outputs" in cell}

    def test_the_current_kernel_is_used_where_it_has_what_is_needed(self):
        self.assertIn(f"{sys.executable} in ", self.cells["environment"][0])

    def test_the_planner_answers(self):
        self.assertIn("upload of a client in a round within 1 MB", self.cells["plan"][0])

    def test_both_runs_are_trained_and_the_second_uploads_less(self):
        summaries = [
            json.loads((self.folder / "runs" / name / "summary.json").read_text())
            for name in ("float32", "efficient")
        ]
        self.assertEqual([summary["rounds"] for summary in summaries], [ROUNDS, ROUNDS])
        reductions = [summary["communication"]["upload_reduction"] for summary in summaries]
        self.assertEqual(reductions[0], 1.0)
        self.assertGreater(reductions[1], 2.0)
        text, pictures = self.cells["curves"]
        self.assertIn(f"upload {reductions[1]:.1f}x less than float32", text)
        self.assertEqual(pictures, 1)

    def test_codecs_err_less_with_more_bits(self):
        families = json.loads((self.folder / "runs" / "codecs.json").read_text())
        for name in ("uniform", "rotated uniform", "EDEN (1 bit: DRIVE)"):
            bits, errors = zip(*families[name], strict=True)
            self.assertEqual(list(bits), sorted(bits), msg=name)
            self.assertEqual(list(errors), sorted(errors, reverse=True), msg=name)
            self.assertGreater(errors[-1], 0.0, msg=name)
        self.assertEqual(self.cells["codecs_plot"][1], 1)

    def test_words_are_suggested(self):
        self.assertRegex(self.cells["suggest"][0], r"how are \.\.\.\n +\d+\.\d+%  \w+")

    def test_no_process_is_left(self):
        self.assertEmpty(_children() - self.before)

    def test_outputs_are_stripped_in_the_repository(self):
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            self.assertEmpty(cell.get("outputs", []), msg=cell.id)
            self.assertIsNone(cell.get("execution_count"), msg=cell.id)


if __name__ == "__main__":
    absltest.main()
