"""The command line in this process: real absl flags, on a flag registry of each test's own."""

# bazel: data = //configs

import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from tests.tff_lm.config import command_lines
from tff_lm.config import command_line, sections

ROOT = pathlib.Path(__file__).parents[3]
CHAT = str(ROOT / "configs" / "chat.py")


class CommandLineTest(parameterized.TestCase):
    def parse(self, *arguments):
        with mock.patch.dict("os.environ", {"BUILD_WORKING_DIRECTORY": str(ROOT)}):
            return command_lines.parse(*arguments)

    def test_overrides_by_either_spelling(self):
        config, _, _ = self.parse(
            f"--config={CHAT}",
            "--config.federated.rounds=7",
            "--config.algorithm.client_learning_rate",
            "1",
            "--noconfig.task.lower_case",
        )
        self.assertEqual(config.federated.rounds, 7)
        self.assertEqual(config.algorithm.client_learning_rate, 1.0)
        self.assertFalse(config.task.lower_case)

    def test_a_relative_preset_is_found_from_where_the_user_is(self):
        config, _, _ = self.parse("--config=configs/stackoverflow.py")
        self.assertEqual(config.task.name, "stackoverflow")

    @parameterized.parameters(
        (["--confg=x"], "Unknown command line flag 'confg'. Did you mean: config"),
        ([], "--config is missing: name a preset"),
        (["--config"], "--config is missing its file"),
        (["--config=configs/chatt.py"], "no file configs/chatt.py; did you mean configs/chat.py"),
        ([f"--config={CHAT}", "--config.federated.round=3"], "unknown key federated.round;"),
        ([f"--config={CHAT}", "--config.federated.rounds=x"], "federated.rounds must be an int"),
        ([f"--config={CHAT}", "--config.federated.rounds"], "federated.rounds has no value"),
        ([f"--config={CHAT}", "--config.federated=3"], "federated is a section"),
        ([f"--config={CHAT}", "--config.runtime.precision=float8"], "precision must be one of"),
        ([f"--config={CHAT}", "--config.task.name=text"], "task.path is missing"),
        ([f"--config={CHAT}", "--config.upload.codec=edn"], "upload.codec: 'edn': unknown codec"),
        ([f"--config={CHAT}", "--config.download.codec=eden("], "download.codec: 'eden('"),
        ([f"--config={CHAT}", "--config.extensions=nowhere.py"], "extensions: /"),
    )
    def test_mistakes_end_with_one_line_and_code_2(self, arguments, message):
        _, text, code = self.parse(*arguments)
        self.assertEqual(code, 2)
        self.assertIn(message, text)
        self.assertStartsWith(text, "error: ")
        self.assertEqual(text.count("\n"), 1)

    @parameterized.parameters(
        ("config.federated.roundz = 3", 'line 4: .*"roundz" .* Did you mean "rounds"'),
        ("config.federated.rounds = 'x'", "line 4: .*'rounds'"),
        ("1 / 0", "line 4: division by zero"),
        ("int('x')", "line 4: invalid literal"),
        ("config = {}", "must return tff_lm.config.default_config"),
        ("def (", "line 4: "),
    )
    def test_mistakes_in_a_preset_name_their_line(self, statement, message):
        preset = self.create_tempfile(
            "preset.py",
            "from tff_lm.config import default_config\n"
            "def get_config():\n"
            "    config = default_config()\n"
            f"    {statement}\n"
            "    return config\n",
        ).full_path
        _, text, code = self.parse(f"--config={preset}")
        self.assertEqual(code, 2)
        self.assertRegex(text, message)
        self.assertEqual(text.count("\n"), 1)

    def test_positional_arguments_are_refused(self):
        with self.assertRaisesRegex(command_line.ConfigError, "'a.b=3' is no flag"):
            command_line.refuse_positional(["a.b=3"])

    def test_help_lists_every_key_with_its_help(self):
        _, text, code = self.parse("--help")
        self.assertEqual(code, 0)
        for option in sections.by_key().values():
            self.assertIn(f"  {option.key} ", text)


if __name__ == "__main__":
    absltest.main()
