"""What a machine decides is written down, and a run goes on in that alone."""

import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tff_lm.config import ConfigError, default_config
from tff_lm.experiment import precision, resumable
from tff_lm.run_folder.workdir import Workdir


class ResumableTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(pathlib.Path(self.create_tempdir().full_path))
        self.processor("float32")

    def processor(self, name):
        """Makes this machine one that computes in `name` by itself."""
        flags = {"avx512_bf16"} if name == "bfloat16" else set()
        self.enter_context(mock.patch.object(precision, "_cpu_flags", return_value=flags))

    def begin(self, name):
        config = config_lib.changed(default_config(), {"runtime.precision": name})
        self.workdir.config.write_text(config_lib.to_json(config))

    def agreed(self, name="auto"):
        config = config_lib.changed(default_config(), {"runtime.precision": name})
        return resumable.agreed(config, self.workdir).runtime.precision

    def test_a_run_begins_in_what_the_processor_does(self):
        self.assertEqual(self.agreed(), "float32")
        self.assertEqual(self.agreed("bfloat16"), "bfloat16")
        self.processor("bfloat16")
        self.assertEqual(self.agreed(), "bfloat16")

    @parameterized.parameters("float32", "bfloat16")
    def test_it_goes_on_where_that_is_the_same_or_asked_for(self, name):
        self.begin(name)
        self.assertEqual(self.agreed(name), name)
        self.processor(name)
        self.assertEqual(self.agreed(), name)

    @parameterized.parameters(("float32", "bfloat16"), ("bfloat16", "float32"))
    def test_another_processor_does_not_change_it_in_silence(self, begun, here):
        self.begin(begun)
        self.processor(here)
        message = f"^runtime.precision is '{begun}' in the run at .*, and '{here}' is what this .*"
        with self.assertRaisesRegex(ConfigError, f"{message}--config.runtime.precision={begun} or"):
            self.agreed()
        with self.assertRaisesRegex(ConfigError, f"keep --config.runtime.precision={begun} or"):
            self.agreed(here)

    def test_a_run_of_an_earlier_version_is_one_of_this_machine(self):
        self.begin("auto")
        self.assertEqual(self.agreed(), "float32")
        self.assertEqual(self.agreed("float32"), "float32")
        with self.assertRaisesRegex(ConfigError, "keep --config.runtime.precision=float32"):
            self.agreed("bfloat16")

    def test_other_options_are_held_against_the_run_too(self):
        self.begin("float32")
        config = config_lib.changed(default_config(), {"federated.batch_size": 3})
        with self.assertRaisesRegex(ConfigError, "federated.batch_size is 16 .* cannot become 3"):
            resumable.agreed(config, self.workdir)


if __name__ == "__main__":
    absltest.main()
