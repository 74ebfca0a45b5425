# bazel: imports = tff_lm tensorflow_federated tensorflow_model_optimization tensorflow_text

import os
import subprocess
import sys

from absl.testing import absltest


def _printed_by_importing(*modules: str, **variables: str) -> str:
    """Returns everything that a fresh process prints while it imports tff_lm, then `modules`."""
    return _printed_by("import " + ", ".join(("tff_lm", *modules)), **variables)


def _printed_by(program: str, **variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), **variables}
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return result.stdout


class QuietTest(absltest.TestCase):
    def test_imports_print_nothing(self):
        printed = _printed_by_importing(
            "tensorflow_federated", "tensorflow_text", "tensorflow_model_optimization"
        )
        self.assertEqual(printed, "")

    def test_an_end_prints_nothing(self):
        """Whatever outlives TFF's modules: here a hook that knows of its default runtime."""
        keeping = (
            "tff_lm.__dict__.update(kept=sys.modules); threading.excepthook = lambda *_: tff_lm"
        )
        printed = _printed_by("import sys, threading, tff_lm, tensorflow_federated; " + keeping)
        self.assertEqual(printed, "")

    def test_a_variable_set_by_the_user_wins(self):
        # Which messages there are depends on the processor; some there are on all.
        printed = _printed_by_importing("tensorflow", TF_CPP_MIN_LOG_LEVEL="0")
        self.assertIn("cpu_feature_guard", printed)


if __name__ == "__main__":
    absltest.main()
