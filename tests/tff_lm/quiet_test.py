import os
import subprocess
import sys

from absl.testing import absltest

_IMPORT_ALL = """
import tff_lm
import tensorflow_federated, tensorflow_text, tensorflow_model_optimization
"""


def _import_all(**variables: str) -> str:
    """Returns everything that a fresh process prints while it imports TensorFlow's family."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **variables}
    result = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return result.stdout


class QuietTest(absltest.TestCase):
    def test_imports_print_nothing(self):
        self.assertEqual(_import_all(), "")

    def test_a_variable_set_by_the_user_wins(self):
        self.assertIn("tensorflow", _import_all(TF_CPP_MIN_LOG_LEVEL="0"))


if __name__ == "__main__":
    absltest.main()
