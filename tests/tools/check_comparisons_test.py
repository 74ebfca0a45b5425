import pathlib

from absl.testing import absltest, parameterized

from tools import check_comparisons


class CheckComparisonsTest(parameterized.TestCase):
    def _problems(self, code):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "tasks").mkdir()
        (folder / "tasks" / "module.py").write_text(code)
        return check_comparisons.problems(folder)

    @parameterized.parameters(
        "def f(x: tf.Tensor): return x == 0",
        "def f(x: tf.Tensor): return 0 != x",
        "def f(x: tf.Variable): return 1 < 2 == x",
        "def f(x: tf.Tensor): return lambda y: x[0] + y == 0",
        "def f(y):\n  x = tf.reduce_sum(y)\n  z = -x\n  return z == 0",
        "def f(y):\n  if tf.math.abs(y) == 0: pass",
        "def f(x: tf.Tensor):\n  def g(): return x == 0\n  return g",
        "x = tf.zeros([])\nassert x == 0",
    )
    def test_tensors_are_found(self, code):
        (problem,) = self._problems("import tensorflow as tf\n" + code)
        self.assertRegex(problem, r"tasks/module.py:\d: .* tf.equal")

    @parameterized.parameters(
        "def f(x: np.ndarray): return x == 0",
        "def f(x: tf.Tensor): return tf.equal(x, 0)",
        "def f(x: tf.Tensor): return x.shape == () or x.dtype == tf.int32 or len(x.shape) == 2",
        "def f(x: tf.Tensor): return [x == 0 for x in range(3)]",
        "def f(x: tf.Tensor): return lambda x: x == 0",
        "def f(x: tf.Tensor):\n  x = x.numpy()\n  return x == 0",
        "def f(x):\n  return tf.TensorShape(x) == x or tf.as_dtype(x) == tf.int32",
        "def f(x: tf.Tensor): return x < 0",
    )
    def test_other_things_are_left_alone(self, code):
        self.assertEmpty(self._problems("import tensorflow as tf\n" + code))


if __name__ == "__main__":
    absltest.main()
