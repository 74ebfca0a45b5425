"""docs/results.md is what the command makes of results/: nobody types into it."""

# bazel: size = medium
# bazel: data = //:published //configs/sweeps

import os
import pathlib
import shutil

from absl.testing import absltest

from tff_lm.report.write import write

ROOT = pathlib.Path(__file__).parents[3]
COMMAND = ["results", "--out=docs/results.md"]
HINT = f"python -m bin.report {' '.join(COMMAND)}"


def files(docs):
    """The file, and the plots beside it."""
    plots = sorted((docs / "images" / "results").glob("*.png"))
    return {path.relative_to(docs): path for path in [docs / "results.md", *plots]}


class PublishedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        if not (ROOT / "results").is_dir():
            self.skipTest("nothing is published yet: there is no results/")
        before = os.environ.get("BUILD_WORKING_DIRECTORY")
        os.environ["BUILD_WORKING_DIRECTORY"] = str(ROOT)
        self.addCleanup(self.restore, before)

    def restore(self, before):
        del os.environ["BUILD_WORKING_DIRECTORY"]
        if before is not None:
            os.environ["BUILD_WORKING_DIRECTORY"] = before

    def test_is_made_from_results(self):
        docs = pathlib.Path(self.create_tempdir().full_path) / "docs"
        docs.mkdir()
        results = docs.parent / "results"
        shutil.copytree(ROOT / "results", results)
        write([results], docs / "results.md", COMMAND)
        made, published = files(docs), files(ROOT / "docs")
        self.assertEqual(made.keys(), published.keys(), msg=f"run {HINT}")
        for name, path in made.items():
            same = path.read_bytes() == published[name].read_bytes()
            self.assertTrue(same, msg=f"docs/{name} is not what results/ says: run {HINT}")


if __name__ == "__main__":
    absltest.main()
