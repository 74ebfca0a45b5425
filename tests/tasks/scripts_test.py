from absl.testing import absltest, parameterized

from tasks import scripts


class ScriptsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("今天 ok天气好。", ["今", "天", "ok", "天", "气", "好", "。"]),
        ("ひらカタ", ["ひ", "ら", "カ", "タ"]),
        # Marks stay with their letter.
        ("ที่นี่", ["ที่", "นี่"]),
        ("ប្រទេស", ["ប្", "រ", "ទេ", "ស"]),
        ("no change, äöü 한국어", ["no", "change,", "äöü", "한국어"]),
    )
    def test_letters_are_words(self, text, words):
        self.assertEqual(scripts.separate(text).split(), words)

    @parameterized.parameters(
        ("今 天 天 气", "今天天气"),
        ("今 天 ok 天", "今天ok天"),
        ("two words äö", "two words äö"),
    )
    def test_and_stand_together_again(self, text, joined):
        self.assertEqual(scripts.join(text), joined)

    def test_a_tenth_decides(self):
        texts = {"a" * 89 + "天" * 11: False, "a" * 90 + "天" * 10: True, "": True}
        for text, separated in texts.items():
            unspaced = scripts.count_unspaced(text)
            self.assertEqual(scripts.are_words_separated(unspaced, len(text)), separated)

    def test_a_mark_begins_nothing(self):
        begins = {"天气": True, "ก": True, "\u0e48": False, "a天": False, "": False}
        for text, expected in begins.items():
            self.assertEqual(scripts.begins_unspaced(text), expected, text)


if __name__ == "__main__":
    absltest.main()
