from absl.testing import absltest, parameterized

from tasks.commits import prose


class ProseTest(parameterized.TestCase):
    @parameterized.parameters(
        ("url", "See https://example.org/x for more of it."),
        ("url", "It is described at www.example for all."),
        ("address", "Write to ada@example.org about this one."),
        ("address", "The host is 10.1.1.2 in this test."),
        ("address", "The register at 0x35 holds the count."),
        ("hash", "This was added in 4b831208bb by mistake."),
        ("hash", "It was the number 20240614 of the list."),
        ("report_number", "This is the cause of #4760 and others."),
        ("report_number", "See bug 18635 for all of it."),
        ("few_words", "Fix that."),
        ("many_words", "word " * 61),
        ("overlong_word", "Call todo_list_rearrange_squash() at the end."),
        ("foreign", "日本語 の 文 です これ"),
        ("foreign", "Die Nacht liegt still auf allen Dächern und Straßen heute wieder."),
        ("foreign", "The name was Fran\ufffdois all along."),
        ("code", "Set x->y when the list is empty."),
        ("code", "Use {a, b} in the list of names."),
        ("code", "Then CONFIG=y is what we want here."),
        ("names_and_numbers", "Remove master:origin pull-fetch-param.txt 12 now"),
        ("names_and_numbers", "USE THE LIST"),
    )
    def test_left_out(self, rule, sentence):
        self.assertEqual(prose.broken_rule(sentence), rule)

    @parameterized.parameters(
        "Fix that too.",
        "words and " * 30,
        "The reset_net_chip() function has wrong timings for the reset pulse.",
        "Add the option --stdin to pass the refs, one per line.",
        "It's only needed on x86, where it does no harm.",
        "Thanks to José, this café has a test again.",
        "Reduce it by half (or more).",
    )
    def test_kept(self, sentence):
        self.assertIsNone(prose.broken_rule(sentence))


if __name__ == "__main__":
    absltest.main()
