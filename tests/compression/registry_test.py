import dataclasses
import os
import subprocess
import sys

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tff_lm import expressions
from compression import codec_names, codec_of, make_codec
from compression.registry import CODECS

# Names only: a fresh process that must not see TensorFlow.
_NAMES_ONLY = """
import sys
from compression import codec_names
from compression.registry import CODECS
from tff_lm import expressions
assert "eden" in codec_names()
print(expressions.parse("scaled(eden(bits=2))", CODECS))
assert not [name for name in sys.modules if name.startswith("tensorflow")]
"""

EVEN = st.one_of(  # quantize and do not rotate
    st.builds(CODECS["uniform"], st.integers(1, 8), st.booleans(), per_row=st.booleans()),
    st.builds(CODECS["qsgd"], st.integers(2, 8), st.integers(1, 4096)),
    st.just(CODECS["terngrad"]()),
)
LEVELS = EVEN | st.builds(CODECS["eden"], st.integers(1, 8))
ANY = st.one_of(
    st.builds(CODECS["top_k"], st.floats(1e-6, 1)),
    LEVELS,
    st.builds(CODECS["entropy"], LEVELS, st.integers(1, 10**6)),
    st.builds(CODECS["scaled"], LEVELS | st.builds(CODECS["rotated"], EVEN)),
    st.builds(CODECS["rotated"], EVEN | st.builds(CODECS["entropy"], EVEN)),
)


def spelt(codec):
    """An expression of `codec` that leaves nothing out."""
    name = next(name for name, of_name in CODECS.items() if of_name is type(codec))
    values = {f.name: getattr(codec, f.name) for f in dataclasses.fields(codec) if f.init}
    written = [
        f"{key}={spelt(value) if key == 'inner' else repr(value)}" for key, value in values.items()
    ]
    return f"{name}({', '.join(written)})"


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
                "scaled",
                "tfmot_uniform",
            },
            set(codec_names()),
        )

    def test_options_make_equal_codecs(self):
        self.assertEqual(make_codec("uniform", bits=4), make_codec("uniform", bits=4))
        self.assertNotEqual(make_codec("uniform", bits=4), make_codec("uniform", bits=3))
        self.assertEqual(hash(make_codec("drive")), hash(make_codec("drive")))

    def test_names_are_known_without_tensorflow(self):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        result = subprocess.run(
            [sys.executable, "-c", _NAMES_ONLY], env=environment, capture_output=True, text=True
        )
        self.assertEqual((result.returncode, result.stdout), (0, "scaled(eden(bits=2))\n"), result)

    def test_expressions(self):
        expected = make_codec("scaled", inner=make_codec("rotated", inner="uniform(bits=3)"))
        self.assertEqual(codec_of("scaled(rotated(uniform(bits=3)))"), expected)
        self.assertEqual(codec_of("eden"), make_codec("eden"))
        self.assertEqual(expressions.canonical("scaled( drive() )", CODECS), "scaled")

    def test_every_codec_has_one_spelling(self):
        @settings(max_examples=60, deadline=None, derandomize=True, database=None)
        @given(ANY)
        def check(codec):
            self.assertEqual(codec_of(spelt(codec)), codec)
            canonical = expressions.canonical(spelt(codec), CODECS)
            self.assertEqual(codec_of(canonical), codec)
            self.assertEqual(expressions.canonical(canonical, CODECS), canonical)

        check()

    @parameterized.parameters(
        ("rotated(eden)", "rotates by itself"),
        ("rotated(rotated)", "rotates by itself"),
        ("rotated(scaled(drive))", "rotates by itself"),
        ("rotated(entropy(eden))", "rotates by itself"),
        ("rotated(identity)", "does not quantize"),
        ("scaled(top_k)", "does not quantize"),
        ("scaled(bfloat16)", "does not quantize"),
        ("scaled(scaled)", "scaled already"),
        ("scaled(rotated(scaled(uniform)))", "scaled already"),
        ("entropy(top_k)", "not a codec of levels"),
        ("entropy(rotated)", "not a codec of levels"),
    )
    def test_wrappers_refuse_what_makes_no_sense(self, text, message):
        with self.assertRaisesRegex(expressions.ExpressionError, message):
            codec_of(text)

    def test_inner_by_name(self):
        self.assertEqual(make_codec("rotated", inner="terngrad").inner, make_codec("terngrad"))

    @parameterized.parameters(
        ("unifrom", {}, "did you mean 'uniform'"),
        ("zip", {}, "Known: bfloat16, drive"),
        ("uniform", {"bit": 4}, "no argument 'bit'; did you mean 'bits'"),
        ("identity", {"bits": 4}, "no argument 'bits': it takes none"),
        ("drive", {"bits": 2}, "no argument 'bits'"),
        ("tfmot_uniform", {"bits": 0}, "bits = 0 is not in 1..16"),
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
