from absl.testing import absltest, parameterized

from tff_lm.config import ConfigError, default_config
from tff_lm.config.tree import validate
from tff_lm.evaluations import names
from tff_lm.evaluations.registry import EVALUATIONS


class NamesTest(parameterized.TestCase):
    def test_validation_is_first_and_a_name_may_be_given(self):
        text = "adapted(fraction=0.25), validation, adapted(name='tenth', fraction=0.1)"
        self.assertEqual(list(names.parse(text)), ["validation", "adapted", "tenth"])

    @parameterized.parameters(
        ("adapted", "lacks validation"),
        ("", "lacks validation"),
        ("validation, adapted, adapted(fraction=0.1)", "two evaluations called adapted"),
        ("validation, adaptd", "unknown evaluation 'adaptd'; did you mean 'adapted'"),
        ("validation, adapted(name='training')", "cannot be called 'training'"),
        ("validation, adapted(name='A b')", "cannot be called 'A b'"),
    )
    def test_the_configuration_refuses(self, text, message):
        config = default_config()
        config.evaluation.names = text
        with self.assertRaisesRegex(ConfigError, f"^evaluation.names: .*{message}"):
            validate(config)

    def test_those_of_the_package_are_known(self):
        self.assertContainsSubset(("adapted", "validation"), list(EVALUATIONS))

    @parameterized.parameters(
        ("validation", "validation", "validation"),
        ("adapted", "validation, adapted(fraction=0.25)", "adapted"),
        ("tenth", "validation, adapted(name='tenth', fraction=0.1)", "tenth"),
        ("adapted(epochs=2)", "validation, adapted(epochs=2)", "adapted"),
    )
    def test_one_of_a_run_is_found_or_another_taken(self, wanted, expected, name):
        text = "validation, adapted(fraction=0.25), adapted(name='tenth', fraction=0.1)"
        self.assertEqual(names.find(text, wanted), (expected, name))

    def test_another_that_does_not_exist_is_refused(self):
        with self.assertRaisesRegex(ValueError, "did you mean 'adapted'"):
            names.find("validation", "adaptd")


if __name__ == "__main__":
    absltest.main()
