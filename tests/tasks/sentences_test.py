from absl.testing import absltest, parameterized

from tasks.sentences import split_sentences


class SplitSentencesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("One here. Two there!  Three? four", ["One here.", "Two there!", "Three? four"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("Mr. Adams met Dr. No. They spoke.", ["Mr. Adams met Dr. No. They spoke."]),
        ("The U.S. Treasury pays. It must.", ["The U.S. Treasury pays.", "It must."]),
        ("It cost 3.50 in all. (Much.)", ["It cost 3.50 in all.", "(Much.)"]),
        ("A heading\n\nA line. And another", ["A heading", "A line.", "And another"]),
        (" \n ", []),
    )
    def test_cuts(self, text, sentences):
        self.assertEqual(list(split_sentences(text)), sentences)

    def test_no_word_is_lost(self):
        text = "So it is, e.g. Here. 'Twas J. Q. Adams; no. 5 it was! Yes... And [then] no."
        self.assertEqual(" ".join(split_sentences(text)).split(), text.split())


if __name__ == "__main__":
    absltest.main()
