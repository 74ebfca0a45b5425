"""What was published, and what earlier versions left, means what it meant."""

# bazel: data = //:published //configs

import json
import pathlib
import shlex

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tests.tff_lm.config import command_lines
from tff_lm.config import ConfigError, old_flags, python_file

ROOT = pathlib.Path(__file__).parents[3]
CHAT = ROOT / "configs" / "chat.py"


def published():
    """Every command line under results/, once."""
    found = set()
    for path in sorted((ROOT / "results").glob("**/*.json")):
        figures = json.loads(path.read_text())
        if "command" in figures:
            found.add(figures["command"])
    return sorted(found)


def flags_of(command):
    """The flags of a published command, its preset's path absolute."""
    words = shlex.split(command)
    return [
        word.replace("--config=", f"--config={ROOT}/") if word.startswith("--config=") else word
        for word in words[3:]
    ]


class PublishedCommandsTest(absltest.TestCase):
    def test_every_published_command_is_valid_and_says_what_it_said(self):
        commands = published()
        self.assertGreater(len(commands), 150)
        for command in commands:
            with self.subTest(command):
                flags = flags_of(command)
                config, text, code = command_lines.parse(*flags)
                self.assertIsNone(code, msg=text)
                given = dict(
                    flag.removeprefix("--config.").split("=", 1)
                    for flag in flags
                    if flag.startswith("--config.")
                )
                for section in ("upload", "download"):
                    self.check_codec(config[section].codec, section, given)

    def check_codec(self, codec, section, given):
        """Every old flag is in the expression, and nothing is that no flag said."""
        options = {
            key.partition(".")[2]: value
            for key, value in given.items()
            if key.startswith(f"{section}.")
        }
        name = options.pop("codec", "identity")
        wrappers = [each for each in ("scaled", "rotated", "entropy") if options.pop(each, "")]
        arguments = ", ".join(f"{key}={options[key]}" for key in sorted(options))
        expected = f"{name}({arguments})" if arguments else name
        for wrapper in reversed(wrappers):
            expected = f"{wrapper}({expected})"
        self.assertEqual(codec, expected)


class OldFlagsTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"codec": "uniform", "bits": 4}, "uniform(bits=4)"),
        ({"codec": "uniform", "bits": 0, "stochastic": True, "scale": "unbiased"}, "uniform"),
        (
            {"codec": "uniform", "stochastic": False, "per_row": True, "bucket": 9},
            "uniform(bucket=9, per_row=True, stochastic=False)",
        ),
        (
            {"codec": "eden", "bits": 3, "scale": "least_squares"},
            "eden(bits=3, scale='least_squares')",
        ),
        ({"codec": "top_k", "fraction": 0.25}, "top_k(fraction=0.25)"),
        (
            {"codec": "qsgd", "entropy": True, "rotated": True, "scaled": True, "bits": 2},
            "scaled(rotated(entropy(qsgd(bits=2))))",
        ),
        ({"codec": "drive", "scaled": True}, "scaled(drive)"),
        ({"rotated": False, "bits": 0}, "identity"),
        # An old option adds to the expression that it stands beside.
        (
            {"codec": "rotated(uniform(bits=8))", "bucket": 9, "entropy": True},
            "rotated(entropy(uniform(bits=8, bucket=9)))",
        ),
        ({"codec": "uniform(bits=8)", "bits": 8}, "uniform(bits=8)"),
        ({"codec": "rotated(scaled(uniform))"}, "rotated(scaled(uniform))"),
    )
    def test_options_become_an_expression(self, options, expected):
        for section in ("upload", "download"):
            config = config_lib.validate({section: options})
            self.assertEqual(config[section].codec, expected)
            self.assertNotIn("bits", config[section])

    @parameterized.parameters(
        ({"codec": "drive", "bits": 4}, "upload.bits has no meaning .*'drive'; .*eden"),
        ({"codec": "eden", "rotated": True}, "upload.rotated has no meaning .*'eden'"),
        ({"scaled": True}, "upload.scaled has no meaning .*'identity'"),
        ({"codec": "uniform", "bits": 17}, "upload.bits must be at most 16"),
        ({"codec": "uniform", "bits": "8"}, "upload.bits must be an integer"),
        ({"codec": "rotated(scaled(uniform))", "bits": 4}, "cannot take upload.bits .*write all"),
        (
            {"codec": "entropy(uniform, min_levels=3)", "bits": 4},
            "entropy has arguments of its own",
        ),
        ({"codec": "uniform(bits=8)", "bits": 4}, "upload.bits=4 and .* say two things"),
        ({"codec": "rotated(uniform)", "rotated": False}, "upload.rotated=False and .* say two"),
        ({"codec": "uniform(", "bits": 4}, "upload.codec='uniform\\(' cannot take"),
        ({"codec": 3, "bits": 4}, "upload.codec must be a text"),
    )
    def test_what_made_no_sense_still_makes_none(self, options, message):
        with self.assertRaisesRegex(ConfigError, message):
            config_lib.validate({"upload": options})

    @parameterized.parameters(
        ({"upload.bits": 2}, "rotated(uniform(bits=2, bucket=9))"),
        ({"upload.bits": 0, "upload.entropy": True}, "rotated(entropy(uniform(bucket=9)))"),
        ({"upload.rotated": False}, "uniform(bits=8, bucket=9)"),
        ({"upload.codec": "qsgd", "upload.bits": 2}, "qsgd(bits=2)"),
        ({"upload.codec": "qsgd"}, "qsgd"),
    )
    def test_they_change_what_a_configuration_says(self, values, expected):
        config = config_lib.changed(
            config_lib.default_config(), {"upload.codec": "rotated(uniform(bits=8, bucket=9))"}
        )
        self.assertEqual(config_lib.changed(config, values).upload.codec, expected)

    def test_a_preset_may_set_them_in_any_order_and_flags_go_before_it(self):
        preset = self.create_tempfile(
            "preset.py",
            "from tff_lm.config import default_config\n"
            "def get_config():\n"
            "    config = default_config()\n"
            "    config.upload.bits = 4\n"
            "    config.upload.codec = 'uniform'\n"
            "    config.download.update({'codec': 'eden', 'bits': 6})\n"
            "    return config\n",
        ).full_path
        for flags, upload in (
            ([], "uniform(bits=4)"),
            (["--config.upload.bits=2"], "uniform(bits=2)"),
            (["--config.upload.rotated"], "rotated(uniform(bits=4))"),
            (["--config.upload.codec=qsgd"], "qsgd"),
            (["--config.upload.bits=3", "--config.upload.codec=qsgd"], "qsgd(bits=3)"),
        ):
            config, text, code = command_lines.parse(f"--config={preset}", *flags)
            self.assertIsNone(code, msg=text)
            self.assertEqual(config.upload.codec, upload)
            self.assertEqual(config.download.codec, "eden(bits=6)")

    def test_a_flag_is_answered_with_its_new_spelling(self):
        flags = ("--config.upload.codec=eden", "--config.upload.bits=3")
        _, text, _ = command_lines.parse(f"--config={CHAT}", *flags)
        self.assertEqual(
            text, "note: upload.bits is part of --config.upload.codec='eden(bits=3)' now\n"
        )
        _, text, _ = command_lines.parse(f"--config={CHAT}", "--config.upload.codec=eden(bits=3)")
        self.assertEmpty(text)

    def test_a_run_of_an_earlier_version_is_read_and_may_go_on(self):
        section = {
            "codec": "uniform",
            "bits": 4,
            "stochastic": True,
            "per_row": False,
            "bucket": 0,
            "fraction": 0.0,
            "scale": "unbiased",
            "rotated": True,
            "scaled": False,
            "entropy": False,
            "min_elements": 64,
        }
        tree = {"seed": 3, "upload": {**section, "measure_error": True}}
        path = pathlib.Path(self.create_tempfile("config.json", json.dumps(tree)).full_path)
        old = config_lib.read_json(path)
        self.assertEqual(old.upload.codec, "rotated(uniform(bits=4))")
        self.assertEqual((old.upload.min_elements, old.upload.measure_error), (64, True))
        new = config_lib.changed(config_lib.default_config(), {"seed": 3})
        new = config_lib.changed(new, {f"upload.{name}": value for name, value in section.items()})
        new.upload.measure_error = True
        config_lib.check_resumable(old, new, "DIR")

    def test_keys_are_checked_but_not_offered(self):
        self.assertEqual(config_lib.find_option("upload.bits").parse("4"), 4)
        _, text, _ = command_lines.parse("--help")
        self.assertNotIn("upload.bits", text)


class OldPresetsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("configs/chat_paper/combination.py:a_b", "configs/chat_paper.py:combination/a_b"),
        ("/x/configs/paper/models.py", "/x/configs/paper.py:models"),
        ("configs/chat.py:lstm_small", "configs/chat.py:lstm_small"),
        ("configs/paper/mine.py:a", "configs/paper/mine.py:a"),
    )
    def test_a_table_of_the_paper_is_an_argument_now(self, old, new):
        self.assertEqual(old_flags.preset(old), new)

    def test_it_is_found_by_its_old_name(self):
        old = f"{ROOT}/configs/chat_paper/quantization.py:upload_rotated_4"
        expected = python_file.load_preset(
            f"{ROOT}/configs/chat_paper.py:quantization/upload_rotated_4"
        )
        config, text, code = command_lines.parse(f"--config={old}")
        self.assertIsNone(code, msg=text)
        self.assertEqual(config, config_lib.validate(expected))
        self.assertEqual(config.upload.codec, "rotated(uniform(bits=4))")


if __name__ == "__main__":
    absltest.main()
