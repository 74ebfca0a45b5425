from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.normalization import normalize_text


class NormalizationTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("white_space", "  a\t b\n\nc\u00a0d ", "a b c d"),
        ("curly_quotes", "\u201cDon\u2019t\u201d \u2018x\u2019", "\"don't\" 'x'"),
        ("dashes", "a \u2014 b\u2013c", "a - b-c"),
        ("compatibility", "\uff21\ufb01\u2026", "afi..."),
        ("control", "a\x00b\x07c", "abc"),
        ("format", "a\u200bb\u200ec", "abc"),
        ("lone_surrogate", "a\ud800b", "ab"),
        ("nothing", " \u200b\n", ""),
    )
    def test_normalizes(self, text, expected):
        self.assertEqual(normalize_text(text, lower_case=True), expected)

    def test_keeps_the_case_when_asked_to(self):
        self.assertEqual(normalize_text("Hello \u0130", lower_case=False), "Hello \u0130")

    @settings(deadline=None)
    @given(st.text(), st.booleans())
    def test_is_idempotent_and_separates_words_by_single_spaces(self, text, lower_case):
        once = normalize_text(text, lower_case=lower_case)
        self.assertEqual(normalize_text(once, lower_case=lower_case), once)
        self.assertEqual(" ".join(once.split()), once)
        once.encode("utf-8")


if __name__ == "__main__":
    absltest.main()
