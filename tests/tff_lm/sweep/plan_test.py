import json
import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tests.tff_lm.sweep import fake_sweep
from tff_lm.config import ConfigError
from tff_lm.sweep import Sweep
from tff_lm.sweep.plan import Planner, matching

TINY = str(fake_sweep.ROOT / "configs" / "tiny.py")
BASE = {"task.path": "/nowhere", "federated.rounds": 3}


class PlanTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def runs(self, runs, base=None, **options):
        sweep = Sweep("t", "d", config=TINY, base=base or BASE, runs=runs, **options)
        return Planner(sweep, self.root).runs()

    def test_a_run_is_its_preset_with_base_and_its_own_options(self):
        (run,) = self.runs({"half": {"upload.codec": "float16", "federated.rounds": 5}}, seeds=(7,))
        self.assertEqual(run.name, "half-seed_7")
        self.assertEqual(run.rounds, 5)
        self.assertEqual(run.config.upload.codec, "float16")
        self.assertEqual(run.config.model.name, "transformer_tiny")
        self.assertEqual(run.workdir.root, self.root / "half" / "seed_7")

    def test_the_flags_say_only_what_differs_from_the_preset(self):
        (run,) = self.runs({"a": {"model.name": "transformer_tiny", "upload.rotated": False}})
        self.assertCountEqual(
            run.flags,
            [
                f"--config={TINY}",
                f"--workdir={self.root / 'a' / 'seed_0'}",
                "--config.task.path=/nowhere",
                "--config.federated.rounds=3",
                "--config.experiment=a",
            ],
        )

    def test_old_options_of_a_codec_change_what_the_base_says(self):
        base = {**BASE, "upload.codec": "uniform", "upload.bits": 8}
        runs = self.runs({"a": {"upload.bits": 4}, "b": {"upload.rotated": True}}, base)
        self.assertEqual(runs[0].config.upload.codec, "uniform(bits=4)")
        self.assertIn("--config.upload.codec=uniform(bits=4)", runs[0].flags)
        self.assertEqual(runs[1].config.upload.codec, "rotated(uniform(bits=8))")

    def test_a_preset_goes_by_its_old_name(self):
        old = str(fake_sweep.ROOT / "configs" / "chat_paper" / "models.py")
        (run,) = Planner(
            Sweep("t", "d", config=f"{old}:lstm_large", runs={"a": {}}), self.root
        ).runs()
        self.assertEqual(run.config.model.name, "lstm_large")
        self.assertIn(
            f"--config={fake_sweep.ROOT}/configs/chat_paper.py:models/lstm_large", run.flags
        )

    def test_seeds_in_turn_and_some_of_an_experiment_alone(self):
        runs = self.runs({"a": {}, "b": {}}, seeds=(0, 1), seeds_of={"b": (0, 1, 5)})
        self.assertEqual(
            [run.name for run in runs],
            ["a-seed_0", "b-seed_0", "a-seed_1", "b-seed_1", "b-seed_5"],
        )

    def test_an_integer_is_a_fine_float(self):
        (run,) = self.runs({"a": {"algorithm.client_learning_rate": 1}})
        self.assertIn("--config.algorithm.client_learning_rate=1.0", run.flags)

    def test_a_run_with_passes_is_a_pretraining_and_can_be_found_again(self):
        options = {"pretrain.passes": 1, "pretrain.steps": 201, "pretrain.parts": 1}
        (run,) = self.runs({"a": options})
        self.assertEqual((run.program, run.rounds), ("bin.pretrain", 3))
        self.assertNotIn("--config.federated.clients_per_round=1", run.flags)
        run.workdir.create()
        run.workdir.config.write_text(config_lib.to_json(run.config))
        self.assertEqual(self.runs({"a": options})[0].rounds, 3)
        self.assertEqual(self.runs({"b": {}})[0].program, "bin.train")

    @parameterized.parameters(
        ({"a": {"pretrain.passes": 1}}, {}, "a: pretrain.steps is missing"),
        ({"a": {"federated.round": 3}}, {}, r"a: unknown key federated\.round; .*rounds"),
        ({"a": {}, "b": {"upload.bits": "8"}}, {}, r"b: upload\.bits must be an integer"),
        (
            {"a": {"upload.codec": "drive", "upload.rotated": True}},
            {},
            r"a: upload\.rotated has no",
        ),
        ({"a": {"upload.codec": "drve"}}, {}, "a: upload.codec: 'drve': .* 'drive'"),
        ({"a/b": {}}, {}, "cannot name a folder"),
        ({"a": {}}, {"baseline": "aa"}, "no run called 'aa'; did you mean a"),
        ({"full": {}}, {"seeds_of": {"ful": (1,)}}, "no run called 'ful'; did you mean full"),
    )
    def test_mistakes_are_named(self, runs, options, message):
        with self.assertRaisesRegex(ConfigError, message):
            self.runs(runs, **options)

    def test_a_run_that_was_begun_otherwise_is_refused(self):
        (run,) = self.runs({"a": {"federated.batch_size": 8}})
        run.workdir.create()
        run.workdir.config.write_text(config_lib.to_json(run.config))
        self.runs({"a": {"federated.batch_size": 8, "federated.rounds": 9}})
        with self.assertRaisesRegex(ConfigError, "a: federated.batch_size is 8 .* cannot become 2"):
            self.runs({"a": {"federated.batch_size": 2}})

    def test_a_run_is_done_once_its_summary_has_all_rounds(self):
        (run,) = self.runs({"a": {}})
        self.assertIsNone(run.result())
        run.workdir.create()
        run.workdir.summary.write_text(json.dumps({"rounds": 2}))
        self.assertIsNone(run.result())
        run.workdir.summary.write_text(json.dumps({"rounds": 3}))
        self.assertEqual(run.result(), {"rounds": 3})

    def test_only_takes_runs_by_name(self):
        runs = self.runs({"fixed_0.4": {}, "fixed_0.6": {}}, seeds=(0, 1))
        self.assertLen(matching(runs, "fixed"), 4)
        self.assertEqual([run.name for run in matching(runs, "6-seed_1$")], ["fixed_0.6-seed_1"])
        with self.assertRaisesRegex(ConfigError, "matches no run; there are fixed_0.4-seed_0"):
            matching(runs, "random")
        with self.assertRaisesRegex(ConfigError, "no regular expression"):
            matching(runs, "(")


if __name__ == "__main__":
    absltest.main()
