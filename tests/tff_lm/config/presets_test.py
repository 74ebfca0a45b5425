"""Every file in configs/ gives a valid configuration."""

import importlib.util
import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib

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
        if config.task.name == "text":
            config.task.path = "given on the command line"
        config_lib.validate(config)
        self.assertNotEmpty(module.__doc__)


if __name__ == "__main__":
    absltest.main()
