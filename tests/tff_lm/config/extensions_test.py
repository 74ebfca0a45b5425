"""Files of the user are loaded wherever they are named: in flags, in presets, in a run's folder."""

import os
import pathlib
import subprocess
import sys
from unittest import mock

from absl.testing import absltest

from tff_lm import config as config_lib
from tests.tff_lm.config import command_lines
from tff_lm.config import ConfigError, sections

_EXTENSION = """
import dataclasses
from compression.registry import CODECS
from tff_lm.config import add_section
from tff_lm.options import option

@CODECS.register("{name}")
@dataclasses.dataclass(frozen=True)
class Mine:
    bits: int = 1

@dataclasses.dataclass(frozen=True)
class Options:
    "What {name} does."
    speed: int = option(1, "of it")
    fast: bool = option(False, "or slow")

add_section("{name}", Options)
"""
_PRESET = """
from tff_lm.config import default_config

def get_config():
    config = default_config(extensions="{file}")
    config.{name}.speed = 2
    config.upload.codec = "{name}(bits=2)"
    return config
"""


class ExtensionsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(sections.SECTIONS))
        # Codecs stay registered in this process: each test has a name of its own.
        self.name = self.id().rpartition(".")[2]
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "mine.py").write_text(_EXTENSION.format(name=self.name))
        self.enter_context(
            mock.patch.dict("os.environ", {"BUILD_WORKING_DIRECTORY": str(self.folder)})
        )

    def preset(self, text):
        (self.folder / "preset.py").write_text(text)
        return "--config=preset.py"

    def test_by_a_flag_after_the_flags_that_need_it(self):
        config, text, code = command_lines.parse(
            self.preset("from tff_lm.config import default_config as get_config\n"),
            f"--config.upload.codec={self.name}",
            f"--config.{self.name}.fast",
            f"--config.{self.name}.speed",
            "7",
            "--config.extensions=mine.py",
        )
        self.assertIsNone(code, msg=text)
        self.assertEqual(config.upload.codec, self.name)
        self.assertEqual(config[self.name].to_dict(), {"speed": 7, "fast": True})
        self.assertEqual(config.extensions, "mine.py")

    def test_by_a_preset(self):
        preset = self.preset(_PRESET.format(file="mine.py", name=self.name))
        config, text, code = command_lines.parse(preset, f"--config.{self.name}.fast")
        self.assertIsNone(code, msg=text)
        self.assertEqual(config.upload.codec, f"{self.name}(bits=2)")
        self.assertEqual(config[self.name].to_dict(), {"speed": 2, "fast": True})

    def test_by_the_configuration_of_a_run(self):
        config = config_lib.default_config(extensions="mine.py")
        config.upload.codec = self.name
        config[self.name].speed = 3
        path = self.folder / "config.json"
        path.write_text(config_lib.to_json(config))
        # Another process, which has loaded nothing yet.
        code = (
            "import pathlib, sys\n"
            "from tff_lm import config\n"
            "print(config.read_json(pathlib.Path(sys.argv[1]))[sys.argv[2]].speed)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), self.name],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.stdout, done.stderr), ("3\n", ""))

    def test_what_cannot_be_loaded_is_a_line(self):
        (self.folder / "broken.py").write_text("1 / 0\n")
        for name, message in (
            ("broken.py", r"broken\.py cannot be loaded: division by zero"),
            ("nowhere.py", r"nowhere\.py cannot be loaded"),
            ("no.such.module", r"no\.such\.module cannot be loaded"),
        ):
            with self.assertRaisesRegex(ConfigError, message):
                config_lib.default_config(extensions=name)


if __name__ == "__main__":
    absltest.main()
