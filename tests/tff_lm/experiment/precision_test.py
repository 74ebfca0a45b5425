import pathlib

from absl.testing import absltest, parameterized

from tff_lm.experiment import precision


class PrecisionTest(parameterized.TestCase):
    @parameterized.parameters(
        ("flags\t\t: fpu avx512f avx512_bf16 xsave", "bfloat16"),
        ("flags\t\t: fpu amx_bf16", "bfloat16"),
        ("flags\t\t: fpu avx2", "float32"),
        ("bugs: avx512_bf16", "float32"),
        ("", "float32"),
    )
    def test_auto_follows_the_processor(self, text, expected):
        info = pathlib.Path(self.create_tempfile(content=text).full_path)
        self.assertEqual(precision.resolve("auto", info), expected)

    def test_what_is_asked_for_is_given(self):
        missing = pathlib.Path("/nonexistent")
        self.assertEqual(precision.resolve("bfloat16", missing), "bfloat16")
        self.assertEqual(precision.resolve("auto", missing), "float32")


if __name__ == "__main__":
    absltest.main()
