import dataclasses
import os
import subprocess
import sys
from unittest import mock

from absl.testing import absltest

from tff_lm import config as config_lib
from tff_lm.config import ConfigError, sections
from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class NoiseOptions:
    """Noise on the sum.

    Attributes:
      scale: Of a normal distribution.
    """

    scale: float = option(0.0, "standard deviation a {unit}", minimum=0)
    kind: str = option("normal", "its distribution", choices=("normal", "laplace"))

    def __post_init__(self):
        if self.kind == "laplace" and not self.scale:
            raise ValueError("scale is missing: kind='laplace' needs it")


class SectionsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(sections.SECTIONS))

    def test_every_section_and_option_is_documented(self):
        for name, section in sections.SECTIONS.items():
            self.assertNotEmpty(section.summary, name)
        for key, each in sections.by_key().items():
            self.assertNotEmpty(each.help, key)
            self.assertNotIn("{", each.help, key)

    def test_schedules_say_by_what_they_count(self):
        self.assertStartsWith(sections.by_key()["server_schedule.warmup"].help, "rounds of")
        self.assertStartsWith(sections.by_key()["local_schedule.warmup"].help, "steps of")

    def test_a_section_of_an_extension_is_like_any_other(self):
        config_lib.add_section("noise", NoiseOptions)
        self.assertEqual(sections.SECTIONS["noise"].summary, "noise on the sum")
        config = config_lib.validate({"noise": {"scale": 2}})
        self.assertEqual(config_lib.read(config, NoiseOptions, "noise"), NoiseOptions(2.0))
        for values, message in (
            ({"noise.scale": -1}, "noise.scale must be at least 0"),
            ({"noise.kind": "laplac"}, "did you mean laplace"),
            ({"noise.kind": "laplace", "noise.scale": 0}, "noise: scale is missing"),
            ({"noise.scal": 1}, "did you mean noise.scale"),
        ):
            with self.assertRaisesRegex(ConfigError, message):
                config_lib.validate(config_lib.changed(config, values))
        with self.assertRaisesRegex(ConfigError, "noise.scale is 2.0 .* cannot become 0.0"):
            config_lib.check_resumable(config, config_lib.default_config(), "DIR")

    def test_a_name_is_given_once(self):
        config_lib.add_section("noise", NoiseOptions)
        config_lib.add_section("noise", NoiseOptions)
        with self.assertRaisesRegex(ValueError, "a section 'task' already"):
            config_lib.add_section("task", NoiseOptions)

    def test_it_takes_no_tensorflow_to_know_every_option_and_name(self):
        code = (
            "import sys\n"
            "from tff_lm import config\n"
            "from tff_lm.config import sections\n"
            "config.validate({'upload': {'codec': 'scaled(eden)'}})\n"
            "[option.names for option in sections.by_key().values()]\n"
            "heavy = {'tensorflow', 'keras', 'tensorflow_federated'}\n"
            "sys.exit(' '.join(heavy & {*sys.modules}) or 0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    absltest.main()
