"""The formulas by hand, and what is said about them."""

# bazel: data = //:published

import math
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from tff_lm import figures

_DOCS = pathlib.Path(__file__).parents[2] / "docs" / "figures.md"

# Two sentences: "in the summ er [EOS]" and "[UNK] went [EOS]".
_TWO_SENTENCES = {
    "tokens": 8.0,
    "nats": 2.0 + 1.0 + 6.0 + 0.5 + 0.25 + 4.0 + 3.0 + 0.25,
    "eos_tokens": 2.0,
    "eos_nats": 0.5,
    "eos_top1": 2.0,
    "eos_top3": 2.0,
    "unk_tokens": 1.0,
    "unk_nats": 4.0,
    "unk_top1": 0.0,
    "unk_top3": 1.0,
    "top1": 4.0,
    "top3": 6.0,
    "words": 5.0,
    "examples": 2.0,
}


class FiguresTest(parameterized.TestCase):
    def test_every_choice_of_targets_by_hand(self):
        found = figures.of(_TWO_SENTENCES)
        for name, expected in {
            "loss": 17.0 / 8,
            "token_perplexity": math.exp(17.0 / 8),
            "token_perplexity_without_eos": math.exp(16.5 / 6),
            "token_perplexity_without_unk": math.exp(13.0 / 7),
            "keyboard_perplexity": math.exp(12.5 / 5),
            "top1_accuracy": 4 / 8,
            "top1_accuracy_without_eos": 2 / 6,
            "top1_accuracy_without_unk": 4 / 7,
            "keyboard_top1_accuracy": 2 / 5,
            "top3_accuracy": 6 / 8,
            "top3_accuracy_without_eos": 4 / 6,
            "top3_accuracy_without_unk": 5 / 7,
            "keyboard_top3_accuracy": 3 / 5,
            # in, the, summer, [UNK], went; and each end of a sentence.
            "word_perplexity": math.exp(17.0 / 7),
            "word_perplexity_without_eos": math.exp(16.5 / 5),
            "bits_per_word": 17.0 / 7 / math.log(2.0),
            "tokens": 8.0,
            "eos_tokens": 2.0,
            "unk_tokens": 1.0,
            "words": 5.0,
            "examples": 2.0,
        }.items():
            self.assertAlmostEqual(found.pop(name), expected, places=12, msg=name)
        self.assertEmpty(found)

    def test_text_that_is_not_made_of_words_has_no_figures_of_words(self):
        found = figures.of({**_TWO_SENTENCES, "words": 0.0})
        for name in ("word_perplexity", "word_perplexity_without_eos", "bits_per_word"):
            self.assertTrue(math.isnan(found.pop(name)), msg=name)
        self.assertTrue(all(map(math.isfinite, found.values())))

    def test_without_targets_there_are_no_figures(self):
        found = figures.of(dict.fromkeys(figures.SUMS, 0.0))
        self.assertTrue(all(math.isnan(found[name]) for name in figures.QUALITY))
        self.assertEqual(figures.FIGURES["loss"].text(found["loss"]), "unknown")

    def test_a_huge_loss_is_an_infinite_perplexity(self):
        found = figures.of({**_TWO_SENTENCES, "nats": 1e6})
        self.assertEqual(found["token_perplexity"], math.inf)
        self.assertEqual(found["keyboard_perplexity"], math.inf)

    def test_percentiles_over_clients_leave_out_who_has_no_such_targets(self):
        by_client = {name: np.zeros(3) for name in figures.SUMS}
        by_client["tokens"] = np.array([3.0, 2.0, 1.0])
        by_client["nats"] = np.array([3.0, 8.0, 9.0])
        # The last one's only target is an end of a sentence.
        by_client["eos_tokens"] = np.array([1.0, 1.0, 1.0])
        by_client["eos_nats"] = np.array([1.0, 5.0, 9.0])
        found = figures.spread(by_client)
        self.assertAlmostEqual(found["token_perplexity_p50"], math.exp(4.0))
        self.assertAlmostEqual(found["keyboard_perplexity_p50"], math.exp(2.0))
        self.assertAlmostEqual(found["keyboard_perplexity_p10"], math.exp(1.2))
        self.assertLen(found, 6)

    def test_labels_tell_figures_apart_and_headlines_have_the_shortest(self):
        labels = [figure.label for figure in figures.FIGURES.values()]
        self.assertLen(set(labels), len(labels))
        for figure in figures.FIGURES.values():
            if figure.headline:
                headline = figures.FIGURES[figure.headline]
                self.assertStartsWith(figure.label, f"{headline.label}, ")
                self.assertEqual(headline.headline, "")

    @parameterized.parameters(
        ({"keyboard_perplexity": 178.0, "token_perplexity": 131.0}, "178.00 (131.00 {})"),
        ({"keyboard_perplexity": None, "token_perplexity": 131.0}, "unknown (131.00 {})"),
        ({"token_perplexity": 131.0}, "131.00 {}"),
    )
    def test_the_screen_names_what_is_beside_the_headline(self, values, text):
        found = figures.with_headline(values, "token_perplexity")
        self.assertEqual(found, text.format("with end of sentence"))

    def test_the_documentation_has_every_figure(self):
        if not _DOCS.is_file():
            self.skipTest("docs/ is not here")
        lines = _DOCS.read_text().splitlines()
        rows = [line for line in lines if line.startswith("| `")]
        for name, figure in figures.FIGURES.items():
            self.assertIn(f"| `{name}` | {figure.label} | {figure.meaning} |", rows)
        self.assertLen([row for row in rows if row.count("|") == 4], len(figures.FIGURES))


if __name__ == "__main__":
    absltest.main()
