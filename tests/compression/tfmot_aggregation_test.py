import collections
import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # inherited by the worker

import numpy as np
import tensorflow_federated as tff
from absl.testing import absltest

from compression.tfmot_aggregation import TfmotUniformMeanFactory
from tests import stock_tff  # noqa: F401  (ends TFF's worker)

VALUE_TYPE = tff.to_type([(np.float32, [3]), (np.float32, [40, 50])])
WEIGHT_TYPE = tff.to_type(
    collections.OrderedDict(weight=np.float32, seed=tff.TensorType(np.int32, [2]))
)


class TfmotTest(absltest.TestCase):
    def test_mean_and_bits(self):
        rng = np.random.default_rng(0)
        values = [[rng.normal(size=s).astype("f") for s in ([3], [40, 50])] for _ in range(3)]
        weights = [
            collections.OrderedDict(weight=np.float32(w), seed=np.zeros([2], np.int32))
            for w in (1.0, 2.0, 0.0)
        ]
        process = TfmotUniformMeanFactory(bits=8).create(VALUE_TYPE, WEIGHT_TYPE)
        output = process.next(process.initialize(), values, weights)
        expected = [(a + 2 * b) / 3 for a, b in zip(*values[:2], strict=True)]
        np.testing.assert_allclose(output.result[0], expected[0], rtol=1e-5)
        np.testing.assert_allclose(output.result[1], expected[1], atol=0.06)
        small, large = output.measurements["upload_bits_per_variable"]
        self.assertEqual(small, 2 * 96)  # two clients take part
        # tfmot packs 8-bit values into 28 bits of an int32: more than 8 bits a value.
        self.assertBetween(large, 2 * 8 * 2000, 2 * 9.5 * 2000)
        self.assertEqual(output.measurements["upload_bits"], small + large)

    def test_one_weight_for_all(self):
        with self.assertRaisesRegex(TypeError, "one float32 weight"):
            TfmotUniformMeanFactory().create(VALUE_TYPE, tff.TensorType(np.float32, [2]))


if __name__ == "__main__":
    absltest.main()
