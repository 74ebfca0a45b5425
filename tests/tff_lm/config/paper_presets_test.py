"""Every row of every table of configs/paper.py and configs/chat_paper.py is valid."""

# bazel: data = //configs

import pathlib

from absl.testing import absltest, parameterized

from tff_lm import config as config_lib
from configs import _paper_rows, chat, stackoverflow
from tff_lm.config import python_file

FOLDER = pathlib.Path(__file__).parents[3] / "configs"
BASES = {"paper": stackoverflow, "chat_paper": chat}
TABLES = [(scale, table) for scale in BASES for table in _paper_rows.TABLES]


def load(scale, row):
    return python_file.load_preset(f"{FOLDER / scale}.py:{row}")


class PaperPresetsTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (f"{scale}_{table}_{row}", scale, table, row)
        for scale, table in TABLES
        for row in _paper_rows.TABLES[table]
    )
    def test_a_row_changes_what_it_says_and_nothing_else(self, scale, table, row):
        config = config_lib.validate(load(scale, f"{table}/{row}"))
        changes = _paper_rows.TABLES[table][row]
        model = changes.get("model.name", "transformer_large")
        base = dict(config_lib.flatten(BASES[scale].get_config(model)))
        self.assertEqual(base["model.name"], model)
        expected = {"experiment": row, **changes}
        # So a codec is written in its one spelling, too.
        self.assertEqual(dict(config_lib.flatten(config)), base | expected)

    @parameterized.named_parameters((f"{scale}_{table}", scale, table) for scale, table in TABLES)
    def test_a_table_has_a_default_row_and_names_the_rows_near_a_typo(self, scale, table):
        rows = _paper_rows.TABLES[table]
        self.assertIn(config_lib.validate(load(scale, table)).experiment, rows)
        near = next(iter(rows))
        with self.assertRaisesRegex(config_lib.ConfigError, f"no row of {table} .*{near}"):
            load(scale, f"{table}/{near}x")

    @parameterized.parameters(*BASES)
    def test_a_file_has_a_default_table_and_names_those_near_a_typo(self, scale):
        config = python_file.load_preset(f"{FOLDER / scale}.py")
        self.assertEqual(config.experiment, "transformer_large_efficient")
        with self.assertRaisesRegex(config_lib.ConfigError, "no table 'model'; .*models"):
            load(scale, "model/lstm_large")

    def test_the_headline_trains_34_percent_at_8_bits_both_ways(self):
        for model in _paper_rows.LARGE:
            config = load("paper", f"combination/{model}_efficient")
            self.assertEqual(config.model.name, model)
            self.assertEqual(config.partial.policy, "per_client_per_round")
            self.assertEqual(config.partial.fraction, 0.34)
            self.assertEqual(config.upload.codec, "uniform(bits=8, bucket=1024)")
            self.assertEqual(config.download.codec, "uniform(bits=8)")


if __name__ == "__main__":
    absltest.main()
