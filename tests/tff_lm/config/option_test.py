from absl.testing import absltest, parameterized

from tff_lm.config.option import ConfigError, Option

RATE = Option(0.5, "help", minimum=0, maximum=2, key="a.rate")
COUNT = Option(3, "help", minimum=1, key="a.count")
FLAG = Option(True, "help", key="a.flag")
NAME = Option("small", "help", choices=("small", "large"), key="a.name")
CODE = Option("b", "help", choices=("a", "b"), normalize=lambda text: code(text), key="a.code")


def code(text):
    """Letters in order."""
    if text.isalpha():
        return "".join(sorted(text))
    raise ValueError(f"{text} has more than letters")


class OptionTest(parameterized.TestCase):
    @parameterized.parameters(
        (RATE, "1", 1.0),
        (RATE, "1e-3", 0.001),
        (COUNT, "7", 7),
        (FLAG, "false", False),
        (FLAG, "True", True),
        (FLAG, "1", True),
        (NAME, "large", "large"),
    )
    def test_texts_are_read_by_type(self, option, text, value):
        parsed = option.parse(text)
        self.assertEqual(parsed, value)
        self.assertIs(type(parsed), option.type)

    @parameterized.parameters(
        (RATE, "fast", "a.rate must be a number, not 'fast'"),
        (RATE, "nan", "finite"),
        (RATE, "-1", "at least 0"),
        (RATE, "3", "at most 2"),
        (COUNT, "1.5", "a.count must be an integer"),
        (COUNT, "0", "at least 1"),
        (FLAG, "maybe", "a.flag must be True or False"),
        (NAME, "larg", "one of 'small', 'large', not 'larg'; did you mean large"),
    )
    def test_wrong_texts_name_the_key(self, option, text, message):
        with self.assertRaisesRegex(ConfigError, message) as caught:
            option.parse(text)
        self.assertStartsWith(str(caught.exception), option.key)

    @parameterized.parameters((COUNT, True), (COUNT, 2.0), (RATE, False), (FLAG, 1), (NAME, 3))
    def test_wrong_types_are_refused(self, option, value):
        with self.assertRaisesRegex(ConfigError, option.key):
            option.check(value)

    def test_a_text_is_brought_into_its_one_spelling(self):
        self.assertEqual(CODE.parse("cab"), "abc")
        with self.assertRaisesRegex(ConfigError, r"^a\.code: c3 has more"):
            CODE.check("c3")

    def test_a_registry_of_names_is_asked_when_a_value_is_checked(self):
        names = ["small"]
        option = Option("small", "help", choices=names, key="a.name")
        names.append("large")
        self.assertEqual(option.check("large"), "large")

    def test_an_integer_is_a_fine_float(self):
        self.assertIs(type(RATE.check(1)), float)


if __name__ == "__main__":
    absltest.main()
