from absl.testing import absltest, parameterized

from tff_lm.config.option import ConfigError, Option

RATE = Option("a.rate", 0.5, "help", minimum=0, maximum=2)
COUNT = Option("a.count", 3, "help", minimum=1)
FLAG = Option("a.flag", True, "help")
NAME = Option("a.name", "small", "help", choices=("small", "large"))


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

    def test_an_integer_is_a_fine_float(self):
        self.assertIs(type(RATE.check(1)), float)


if __name__ == "__main__":
    absltest.main()
