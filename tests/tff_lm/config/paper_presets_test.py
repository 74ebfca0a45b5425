"""Every row of every table in configs/paper and configs/chat_paper gives a valid configuration."""

# bazel: data = //configs/chat_paper //configs/paper

import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from configs import chat, stackoverflow
from configs.paper import _rows
from tff_lm.config import python_file

FOLDER = pathlib.Path(__file__).parents[3] / "configs"
BASES = {"paper": stackoverflow, "chat_paper": chat}
FILES = sorted(file for scale in BASES for file in (FOLDER / scale).glob("[!_]*.py"))


def table(file):
    return getattr(_rows, file.stem.upper())


class PaperPresetsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (f"{file.parent.name}_{file.stem}_{row}", file, row)
        for file in FILES
        for row in table(file)
    )
    def test_a_row_changes_what_it_says_and_nothing_else(self, file, row):
        config = config_lib.validate(python_file.load_preset(f"{file}:{row}"))
        model = table(file)[row].get("model.name", "transformer_large")
        base = dict(config_lib.flatten(BASES[file.parent.name].get_config(model)))
        self.assertEqual(base["model.name"], model)
        expected = {"experiment": row, **table(file)[row]}
        self.assertEqual(dict(config_lib.flatten(config)), base | expected)

    @parameterized.named_parameters((f"{file.parent.name}_{file.stem}", file) for file in FILES)
    def test_a_file_has_a_default_row_and_names_the_rows_near_a_typo(self, file):
        default = config_lib.validate(python_file.load_preset(str(file)))
        self.assertIn(default.experiment, table(file))
        near = next(iter(table(file)))
        with self.assertRaisesRegex(config_lib.ConfigError, f"no row .*{near}"):
            python_file.load_preset(f"{file}:{near}x")

    def test_both_scales_have_every_table(self):
        stems = {scale: {f.stem for f in FILES if f.parent.name == scale} for scale in BASES}
        tables = {name.lower() for name in vars(_rows) if name.isupper() and name != "LARGE"}
        tables = {name for name in tables if not name.startswith("_")}
        self.assertEqual(stems, dict.fromkeys(BASES, tables))

    def test_the_headline_trains_34_percent_at_8_bits_both_ways(self):
        for model in _rows.LARGE:
            config = python_file.load_preset(
                f"{FOLDER / 'paper' / 'combination.py'}:{model}_efficient"
            )
            self.assertEqual(config.model.name, model)
            self.assertEqual(config.partial.policy, "per_client_per_round")
            self.assertEqual(config.partial.fraction, 0.34)
            for section in (config.upload, config.download):
                self.assertEqual((section.codec, section.bits), ("uniform", 8))


if __name__ == "__main__":
    absltest.main()
