"""The graph normalizes as Python does."""

import tff_lm  # noqa: F401  (silences other libraries)  # isort: skip

import functools
import sys
import unicodedata

import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.normalization import normalize_text
from tff_lm.serving.normalizer import Normalizer

# What user's keyboards, web pages and word processors put into text, beside any character at all.
_LIKELY = st.sampled_from(
    "aAzZ \t\n.'\u2019\u201c\u2014\u2212\u00a0\u3000\u200b\u200d\ufeff\u00ad\uff21\uff5a\ufb01"
    "\u0301\u0323\u0307\u0345\u0130\u0131\u03a3\u03c3\u0391\u1e9e\u00b4\u00a8\u2026\u00bd"
    "\u1100\u1161\u11a8\uac00\u4e2d\u0e33\u0e48\U0001f600\u05bc\u0958"
)
_CHARACTERS = st.characters(exclude_categories=["Cs"])
_TEXTS = st.one_of(st.text(_LIKELY, max_size=12), st.text(st.one_of(_LIKELY, _CHARACTERS)))


@functools.cache
def graph(lower_case):
    normalizer = Normalizer(lower_case=lower_case)
    return tf.function(normalizer.normalize, input_signature=[tf.TensorSpec([], tf.string)])


class NormalizerTest(parameterized.TestCase):
    def check(self, text, lower_case=True):
        given_text = graph(lower_case)(tf.constant(text.encode())).numpy().decode()
        self.assertEqual(given_text, normalize_text(text, lower_case=lower_case))

    @settings(deadline=None, max_examples=300)
    @given(_TEXTS, st.booleans())
    def test_it_gives_what_python_gives(self, text, lower_case):
        self.check(text, lower_case)

    @parameterized.named_parameters(
        ("nothing", ""),
        ("no_break_space", "\u00a0how\u00a0are\u202fyou\u3000"),
        ("full_width", "\uff28\uff2f\uff37 are"),
        ("zero_width", "ho\u200bw\ufeff a\u00adre\u200d"),
        ("dashes", "a\u2014b \u2013 c\u2212d\u2010e"),
        ("quotes", "\u201cdon\u2019t\u201d \u00b4x`"),
        ("final_sigma", "\u039f\u0394\u039f\u03a3 \u03a3 \u03a3\u0391\u03a3."),
        ("marks_out_of_order", "e\u0301\u0323 \u0301\u0323 a\u0327\u0301"),
        ("a_mark_behind_another_of_its_class", "a\u0300\u0301 \u03b1\u0313\u0301"),
        ("hangul", "\u1112\u1161\u11ab\u1100\u116e \ud55c\uad6d\uac01\u11a8"),
        ("excluded_from_composition", "\u0958 \ufb2c \u212b"),
        ("private_and_unassigned", "a\ue000b\U0010ffffc\ufffed\u0378e"),
        ("control", "a\x00b\x1fc\x85d\x7fe"),
    )
    def test_cases(self, text):
        self.check(text)
        self.check(text, lower_case=False)

    def test_every_character_that_changes_or_is_a_mark(self):
        """In lines of many, so that none is missed by chance."""
        characters = [
            chr(point)
            for point in range(sys.maxunicode + 1)
            if unicodedata.category(chr(point)) not in ("Cn", "Co", "Cs")
        ]
        special = [
            each
            for each in characters
            if unicodedata.combining(each) or normalize_text(each, lower_case=True) != each
        ]
        self.assertGreater(len(special), 5000)
        for start in range(0, len(special), 400):
            self.check("x".join(special[start : start + 400]))


if __name__ == "__main__":
    absltest.main()
