"""Every file in configs/sweeps/ gives runs that can be built."""

# bazel: data = //configs/sweeps

import pathlib

from absl.testing import absltest, parameterized

from tff_lm.experiment import settings
from tff_lm.learning.registry import ALGORITHMS
from tff_lm.sweep import execute
from tff_lm.sweep.plan import Planner

FOLDER = pathlib.Path(__file__).parents[3] / "configs" / "sweeps"
# Bazel adds an __init__.py.
FILES = sorted(
    path for path in FOLDER.glob("*.py") if path.stem != "common" and path.stem[0] != "_"
)


class SweepFilesTest(parameterized.TestCase):
    @parameterized.named_parameters((path.stem, path) for path in FILES)
    def test_sweep(self, path):
        sweep = execute.load(str(path))
        root = pathlib.Path(self.create_tempdir().full_path)
        runs = Planner(sweep, root).runs()
        self.assertGreater(len(runs), 1)
        self.assertNotEmpty(sweep.description)
        for run in runs:
            for section in ("upload", "download"):
                settings.codec(run.config, section)
            options = settings.learning(run.config)
            ALGORITHMS[options.algorithm.name](options, ())

    @parameterized.named_parameters((path.stem, path) for path in FILES)
    def test_the_runs_of_a_seed_differ(self, path):
        sweep = execute.load(str(path))
        seen = {}
        for run in Planner(sweep, pathlib.Path("/nowhere")).runs():
            config = run.config.to_dict()
            name = config.pop("experiment")
            other = seen.setdefault(repr(config), name)
            self.assertEqual(name, other, msg="two experiments are one and the same")


if __name__ == "__main__":
    absltest.main()
