import numpy as np
import tensorflow as tf
from absl.testing import absltest

from compression import make_codec
from compression.variables import code_variables

SEED = tf.constant([1, 2])


class VariablesTest(absltest.TestCase):
    def test_small_and_other_dtypes_are_sent_as_they_are(self):
        codec = make_codec("drive")
        described = [
            ([1023], np.float32),
            ([32, 32], np.float32),
            ([5000], np.int32),
            ([5000], np.float64),
            ([], np.float32),
        ]
        chosen = [variable.codec for variable in code_variables(described, codec)]
        raw = make_codec("identity")
        self.assertEqual(chosen, [raw, codec, raw, raw, raw])
        (all_sizes,) = code_variables([([3], np.float32)], codec, min_elements=0)
        self.assertEqual(all_sizes.codec, codec)

    def test_an_empty_payload_has_the_types_of_a_real_one(self):
        for name in ("uniform", "drive", "top_k", "random_k", "terngrad"):
            (variable,) = code_variables([([64, 64], np.float32)], make_codec(name))
            real = variable.encode(tf.ones([64, 64]), SEED)
            empty = variable.empty_payload()
            self.assertEqual(list(real), list(empty))
            for part, nothing in zip(real.values(), empty.values(), strict=True):
                self.assertEqual((part.dtype, part.shape), (nothing.dtype, nothing.shape))

    def test_unknown_shape_is_refused(self):
        with self.assertRaisesRegex(ValueError, "shapes must be static"):
            code_variables([([None, 3], np.float32)], make_codec("drive"))


if __name__ == "__main__":
    absltest.main()
