"""bin.report as a user runs it; masks against the bytes that real runs measured."""

# bazel: size = enormous
# bazel: data = //configs
# bazel: imports = bin.report bin.train

import json
import os
import pathlib
import subprocess
import sys

from absl.testing import absltest

from tests.tasks import fixtures
from tests.tff_lm.report import samples

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS, CLIENTS = 3, 3
POLICIES = ("per_client_per_round", "rolling")


class ReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def run_program(self, program, *arguments):
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "BUILD_WORKING_DIRECTORY": str(self.folder),
            "TFF_LM_CACHE": str(self.folder / "cache"),
        }
        command = [sys.executable, *program, *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=540,
        )

    def report(self, *arguments):
        return self.run_program(["-m", "bin.report"], *arguments)

    def test_writes_what_it_is_asked_for(self):
        samples.write(self.folder / "results" / "one", [samples.summary("a", 0)])
        for name in ("report.html", "results.md"):
            done = self.report("results", f"--out={name}")
            self.assertEqual(done.returncode, 0, msg=done.stderr)
            self.assertEqual(done.stdout, f"{name}: one\n")
            text = (self.folder / name).read_text()
            self.assertIn(f"python -m bin.report results --out={name}", text)

    def test_does_without_tensorflow(self):
        samples.write(self.folder / "results" / "one", [samples.summary("a", 0)])
        program = (
            "import pathlib, sys; from tff_lm.report.write import build; "
            "build([pathlib.Path(sys.argv[1])], []); assert 'tensorflow' not in sys.modules"
        )
        done = self.run_program(["-c", program], str(self.folder / "results"))
        self.assertEqual(done.returncode, 0, msg=done.stderr)

    def test_a_mistake_is_one_line_and_exit_code_2(self):
        (self.folder / "empty").mkdir()
        (self.folder / "broken").mkdir()
        (self.folder / "broken" / "summary.json").write_text('{"model": ')
        for arguments, message in (
            ([], "name the folder of a run"),
            (["gone"], "there is no folder"),
            (["empty"], "holds no run"),
            (["broken"], "broken/summary.json is not JSON"),
            (["--masks", "empty"], "holds no run"),
            (["--masks", "empty", "results"], "'results' is no flag"),
        ):
            done = self.report(*arguments)
            self.assertEqual(done.returncode, 2, msg=arguments)
            self.assertRegex(done.stderr, f"^error: .*{message}.*\n$")
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_masks_are_those_of_the_bytes_that_were_uploaded(self):
        corpus = fixtures.write_json_lines(str(self.folder), per_split=5, each=8)
        for policy in POLICIES:
            done = self.run_program(
                ["-m", "bin.train"],
                f"--config={ROOT / 'configs' / 'tiny.py'}",
                f"--workdir={policy}",
                f"--config.task.path={corpus}",
                f"--config.federated.rounds={ROUNDS}",
                f"--config.federated.clients_per_round={CLIENTS}",
                f"--config.partial.policy={policy}",
                "--config.partial.fraction=0.5",
                "--config.partial.min_size=512",
                "--config.seed=7",
            )
            self.assertEqual(done.returncode, 0, msg=done.stderr)
            done = self.report("--masks", policy)
            self.assertEqual(done.returncode, 0, msg=done.stderr)
            ledger = json.loads((self.folder / policy / "communication.json").read_text())
            self.check(done.stdout, ledger)

    def check(self, table, ledger):
        """Each line's parameters x times trained x 4 bytes are what the ledger counted."""
        lines, total = table.split("\n\n")
        rows = [line.split() for line in lines.splitlines()[1:]]
        counts = {name: (int(size.replace(",", "")), int(times)) for name, size, times, _ in rows}
        self.assertEqual(
            {name: 4 * size * times for name, (size, times) in counts.items()},
            {name: entry["upload_bytes"] for name, entry in ledger.items()},
        )
        for name, _, times, share in rows:
            wanted = int(times) / (ROUNDS * CLIENTS)
            self.assertAlmostEqual(float(share.rstrip("%")) / 100, wanted, delta=0.001, msg=name)
        often = {times for _, times in counts.values()}
        self.assertIn(ROUNDS * CLIENTS, often)
        self.assertGreater(len(often), 1, msg="every variable was trained as often")
        trained = sum(size * times for size, times in counts.values())
        whole = sum(size for size, _ in counts.values())
        mean = trained / whole / (ROUNDS * CLIENTS)
        self.assertIn(f"trained {mean:.2%} of {whole:,} parameters", total)
        self.assertIn("asked for: 50.00%", total)


if __name__ == "__main__":
    absltest.main()
