from absl.testing import absltest, parameterized

from compression import codec_names, make_codec


class RegistryTest(parameterized.TestCase):
    def test_every_codec_of_the_paper(self):
        self.assertContainsSubset(
            {
                "identity",
                "float16",
                "bfloat16",
                "uniform",
                "terngrad",
                "qsgd",
                "drive",
                "eden",
                "top_k",
                "random_k",
                "rotated",
                "entropy",
            },
            set(codec_names()),
        )

    def test_options_make_equal_codecs(self):
        self.assertEqual(make_codec("uniform", bits=4), make_codec("uniform", bits=4))
        self.assertNotEqual(make_codec("uniform", bits=4), make_codec("uniform", bits=3))
        self.assertEqual(hash(make_codec("drive")), hash(make_codec("drive")))

    def test_inner_by_name(self):
        self.assertEqual(make_codec("rotated", inner="terngrad").inner, make_codec("terngrad"))

    @parameterized.parameters(
        ("unifrom", {}, "did you mean 'uniform'"),
        ("zip", {}, "Valid: bfloat16, drive"),
        ("uniform", {"bit": 4}, "no option 'bit'; did you mean 'bits'"),
        ("identity", {"bits": 4}, "no option 'bits': it takes none"),
        ("drive", {"bits": 2}, "no option 'bits'"),
        ("uniform", {"bits": 17}, "bits = 17 is not in 1..16"),
        ("eden", {"bits": 0}, "bits = 0 is not in 1..8"),
        ("qsgd", {"bits": 1}, "bits = 1 is not in 2..8"),
        ("qsgd", {"bucket": 0}, "bucket = 0"),
        ("drive", {"scale": "best"}, "unbiased, least_squares"),
        ("top_k", {"fraction": 0.0}, "fraction = 0.0"),
        ("random_k", {"fraction": 1.5}, "fraction = 1.5"),
        ("entropy", {"inner": "identity"}, "not a codec of levels"),
        ("rotated", {"inner": "unifrom"}, "did you mean 'uniform'"),
    )
    def test_helpful_errors(self, name, options, message):
        with self.assertRaisesRegex(ValueError, message):
            make_codec(name, **options)

    def test_more_levels_than_an_entropy_coder_takes(self):
        with self.assertRaisesRegex(ValueError, "more than 256 levels"):
            make_codec("entropy", inner=make_codec("uniform", bits=9))


if __name__ == "__main__":
    absltest.main()
