import math
import pathlib

from absl.testing import absltest, parameterized

from tff_lm.run_folder.metrics_table import MetricsTable, read_rows

COLUMNS = ("round", "loss", "bytes")


class RecordsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "metrics.csv"

    def write(self, rows, last_round=-1):
        table = MetricsTable(self.path, COLUMNS)
        kept = table.start(last_round)
        for row in rows:
            table.append(row)
        table.close()
        return kept

    def test_numbers_come_back_exactly(self):
        row = {"round": 1, "loss": 1 / 3, "bytes": 2.0**60 + 4096}
        self.write([row])
        self.assertEqual(read_rows(self.path), [row])

    def test_missing_figures_are_empty_cells(self):
        self.write([{"round": 1, "loss": math.nan}, {"round": 2, "bytes": None}])
        self.assertEqual(self.path.read_text(), "round,loss,bytes\n1,,\n2,,\n")
        self.assertEqual(read_rows(self.path), [{"round": 1.0}, {"round": 2.0}])

    def test_rows_beyond_the_checkpoint_and_half_a_line_are_dropped(self):
        self.write([{"round": n, "loss": n / 7} for n in range(5)])
        text = self.path.read_text()
        self.path.write_text(text + "5,0.71")
        kept = self.write([{"round": 3, "loss": 3 / 7}, {"round": 4, "loss": 4 / 7}], last_round=2)
        self.assertEqual([row["round"] for row in kept], [0, 1, 2])
        self.assertEqual(self.path.read_text(), text)

    def test_a_new_run_starts_anew(self):
        self.write([{"round": 0}])
        self.assertEmpty(self.write([]))
        self.assertEqual(self.path.read_text(), "round,loss,bytes\n")

    def test_unknown_columns_are_refused(self):
        with self.assertRaisesRegex(ValueError, "no column lozz"):
            self.write([{"round": 0, "lozz": 1.0}])


if __name__ == "__main__":
    absltest.main()
