import json
import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tff_lm.config import ConfigError
from tff_lm.config.sections import by_key
from tff_lm.program.options import FederatedOptions


class TreeTest(parameterized.TestCase):
    def test_the_default_is_valid_and_complete(self):
        config = config_lib.validate(config_lib.default_config())
        self.assertSameElements(dict(config_lib.flatten(config)), by_key())

    @parameterized.named_parameters(*((option.key, option) for option in by_key().values()))
    def test_defaults_pass_their_own_check(self, option):
        self.assertEqual(option.check(option.default), option.default)

    def test_the_default_is_locked(self):
        with self.assertRaises(AttributeError):
            config_lib.default_config().federated.roundz = 3
        with self.assertRaises(TypeError):
            config_lib.default_config().federated.rounds = "3"

    @parameterized.parameters(
        ("federated.round", "did you mean federated.rounds"),
        ("rounds", "did you mean federated.rounds"),
        ("training.rounds", "did you mean federated.rounds"),
        ("algorithm.clipnorm", "did you mean algorithm.clip_norm"),
        ("federated", "is a section, set its members: federated.rounds"),
        ("zzz", "--help lists every key"),
    )
    def test_unknown_keys_name_the_nearest(self, key, message):
        with self.assertRaisesRegex(ConfigError, message):
            config_lib.find_option(key)

    def test_unknown_and_wrong_leaves_of_a_tree_are_refused(self):
        with self.assertRaisesRegex(ConfigError, "unknown key federated.round;"):
            config_lib.validate({"federated": {"round": 3}})
        with self.assertRaisesRegex(ConfigError, "federated.rounds must be an integer"):
            config_lib.validate({"federated": {"rounds": "3"}})

    @parameterized.parameters(
        ({"task": {"name": "text"}}, "task.path is missing"),
        ({"task": {"max_examples": 3, "min_examples": 9}}, "task.max_examples"),
        ({"server_schedule": {"name": "cosine"}}, "server_schedule.decay is missing"),
        (
            {"local_schedule": {"name": "exponential", "decay": 9}},
            "local_schedule.final_factor must be above 0",
        ),
    )
    def test_impossible_combinations_are_refused(self, tree, message):
        with self.assertRaisesRegex(ConfigError, message):
            config_lib.validate(tree)

    def test_a_section_is_read_as_its_dataclass(self):
        config = config_lib.default_config()
        config.federated.rounds = 7
        found = config_lib.read(config, FederatedOptions, "federated")
        self.assertEqual(found, FederatedOptions(rounds=7))

    def test_a_changed_copy_leaves_the_original_and_needs_not_fit_together(self):
        before = config_lib.default_config()
        after = config_lib.changed(before, {"task.name": "text", "seed": 3})
        self.assertEqual((after.task.name, after.seed), ("text", 3))
        self.assertEqual(before, config_lib.default_config())
        with self.assertRaisesRegex(ConfigError, "seed must be at least 0"):
            config_lib.changed(before, {"seed": -1})

    def test_a_codec_has_one_spelling(self):
        texts = ("scaled( uniform(bits = 4,bucket=9) )", "scaled(inner=uniform(bucket=9, bits=4,))")
        found = {config_lib.validate({"upload": {"codec": each}}).upload.codec for each in texts}
        self.assertEqual(found, {"scaled(uniform(bits=4, bucket=9))"})

    def test_json_and_back(self):
        config = config_lib.default_config()
        config.algorithm.client_learning_rate = 1 / 3
        path = pathlib.Path(self.create_tempfile(content=config_lib.to_json(config)).full_path)
        self.assertEqual(config_lib.read_json(path).to_dict(), config.to_dict())

    def test_a_file_of_an_earlier_version_takes_new_defaults(self):
        path = pathlib.Path(self.create_tempfile(content=json.dumps({"seed": 5})).full_path)
        config = config_lib.read_json(path)
        self.assertEqual(config.seed, 5)
        self.assertEqual(config.federated.rounds, config_lib.default_config().federated.rounds)

    def test_no_run_and_no_json_are_errors_in_words(self):
        with self.assertRaisesRegex(ConfigError, "holds no run"):
            config_lib.read_json(pathlib.Path(self.create_tempdir().full_path) / "config.json")
        with self.assertRaisesRegex(ConfigError, "is not JSON"):
            config_lib.read_json(pathlib.Path(self.create_tempfile(content="{").full_path))

    def test_resuming_refuses_what_changes_the_training_only(self):
        old, new = config_lib.default_config(), config_lib.default_config()
        new.federated.rounds = 1000
        new.checkpoint.every = 3
        new.runtime.chunk_size = 9
        config_lib.check_resumable(old, new, "DIR")
        new.algorithm.client_learning_rate = 9.0
        with self.assertRaisesRegex(ConfigError, r"algorithm\.client_learning_rate is .* at DIR"):
            config_lib.check_resumable(old, new, "DIR")


if __name__ == "__main__":
    absltest.main()
