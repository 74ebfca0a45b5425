import json
import pathlib

from absl.testing import absltest

from tests.tff_lm.report import samples
from tff_lm.config import ConfigError
from tff_lm.report.collect import collect
from tff_lm.sweep import record


class CollectTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def workdir(self, place, summary=None):
        folder = self.folder / place
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        if summary:
            (folder / "summary.json").write_text(json.dumps(summary))
        return folder

    def names(self, *folders):
        groups = collect(folders).groups.values()
        return {group.name: [(run.experiment, run.seed) for run in group.runs] for group in groups}

    def test_single_runs_are_compared_with_one_another(self):
        first = self.workdir("runs/a", samples.summary("", 0))
        second = self.workdir("elsewhere/b", samples.summary("", 0))
        self.assertEqual(self.names(first, second), {"runs": [("a", 0), ("b", 0)]})

    def test_the_folder_of_a_sweep_and_one_of_several(self):
        for sweep in ("x", "y"):
            for seed in (0, 1):
                self.workdir(f"all/{sweep}/lstm/seed_{seed}", samples.summary("lstm", seed))
        both = [("lstm", 0), ("lstm", 1)]
        self.assertEqual(self.names(self.folder / "all" / "x"), {"x": both})
        self.assertEqual(self.names(self.folder / "all"), {"x": both, "y": both})

    def test_copies_below_results(self):
        results = self.folder / "results"
        samples.write(results / "x", [samples.summary("b", 0), samples.summary("a", 1)])
        (results / "codecs_benchmark.json").write_text(json.dumps(samples.codec_benchmark()))
        self.assertEqual(self.names(results), {"x": [("a", 1), ("b", 0)]})
        self.assertEqual(self.names(results / "x"), {"x": [("a", 1), ("b", 0)]})
        self.assertEqual(collect([results]).codecs, samples.codec_benchmark())

    def test_other_files_of_a_run_are_no_copies(self):
        folder = self.workdir("sweep/a/seed_0", samples.summary("a", 0))
        (folder / "communication.json").write_text("{}")
        self.assertEqual(self.names(self.folder / "sweep" / "a"), {"sweep": [("a", 0)]})

    def test_the_record_of_a_sweep_goes_with_it_and_names_its_trials(self):
        drawn = {"algorithm.client_learning_rate": 0.0316227, "server_schedule.name": "linear"}
        written = record.Record("a.py", "runs/a", trials={"trial_000": drawn})
        for seed, name in enumerate(("trial_000", "other")):
            self.workdir(f"runs/a/{name}/seed_{seed}", samples.summary(name, seed))
        samples.write(
            self.folder / "results" / "a",
            [samples.summary("trial_000", 0), samples.summary("other", 1)],
        )
        for place in ("runs/a", "results/a"):
            record.write(self.folder / place, written)
        title = "trial_000: client_learning_rate=0.0316, server_schedule.name=linear"
        for place in ("runs/a", "runs", "results/a", "results"):
            found = collect([self.folder / place]).groups["a"]
            self.assertEqual(found.record, written)
            self.assertCountEqual([run.experiment for run in found.runs], ["other", title])

    def test_unfinished_runs_are_kept_apart(self):
        self.workdir("sweep/a/seed_0", samples.summary("a", 0))
        begun = self.workdir("sweep/a/seed_1")
        group = collect([self.folder / "sweep"]).groups["sweep"]
        self.assertLen(group.runs, 1)
        self.assertEqual(group.unfinished, [begun])

    def test_refuses_what_it_cannot_show(self):
        empty = self.folder / "empty"
        empty.mkdir()
        begun = self.workdir("begun")
        bad = self.folder / "bad"
        bad.mkdir()
        (bad / "codecs_benchmark.json").write_text('[{"codec": "drive"}]')
        twins = [self.workdir(f"twins/{name}", samples.summary("one", 0)) for name in "ab"]
        for folders, message in (
            ([self.folder / "gone"], "there is no folder .*gone"),
            ([empty], "empty holds no run"),
            ([begun], "no run has finished yet; .*begun"),
            ([bad], "codecs_benchmark.json is not what"),
            (twins, "a/summary.json and .*b/summary.json are both experiment 'one' with seed 0"),
        ):
            with self.assertRaisesRegex(ConfigError, message):
                collect(folders)


if __name__ == "__main__":
    absltest.main()
