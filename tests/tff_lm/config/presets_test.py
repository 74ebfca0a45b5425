"""Every file in configs/ gives a valid configuration."""

# bazel: data = //configs

import importlib.util
import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from tff_lm.config import python_file

FOLDER = pathlib.Path(__file__).parents[3] / "configs"
# Bazel adds an __init__.py.
PRESETS = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


class PresetsTest(parameterized.TestCase):
    @parameterized.named_parameters((path.stem, path) for path in PRESETS)
    def test_preset(self, path):
        spec = importlib.util.spec_from_file_location(f"preset_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        config = module.get_config()
        if config.task.name in ("text", "git"):
            config.task.path = "given on the command line"
        config_lib.validate(config)
        self.assertNotEmpty(module.__doc__)

    def test_chat_has_rates_for_a_model_and_refuses_a_typo(self):
        chat = str(FOLDER / "chat.py")
        small, large = (
            python_file.load_preset(f"{chat}{variant}") for variant in ("", ":transformer_large")
        )
        self.assertEqual(large.model.name, "transformer_large")
        # Rates of the small model make the large one diverge.
        self.assertLess(large.algorithm.server_learning_rate, small.algorithm.server_learning_rate)
        with self.assertRaisesRegex(config_lib.ConfigError, "did you mean lstm_large"):
            config_lib.validate(python_file.load_preset(f"{chat}:lstm_larg"))


if __name__ == "__main__":
    absltest.main()
