import pathlib

from absl.testing import absltest

from tff_lm.config import ConfigError
from tff_lm.sweep import record


class RecordTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_it_is_read_as_it_was_written(self):
        self.assertIsNone(record.read(self.folder))
        trials = {"trial_000": {"upload.codec": "eden(bits=2)", "seed": 1}}
        written = record.Record("my sweeps/a.py", "/runs/a", trials=trials)
        record.write(self.folder, written)
        self.assertEqual(record.read(self.folder), written)
        self.assertEqual(
            written.command, "python -m bin.sweep '--sweep=my sweeps/a.py' --workdir=/runs/a"
        )
        self.assertEndsWith(record.Record("a.py", "a", "results").command, " --collect=results")

    def test_what_is_none_is_named(self):
        for content in ("{", '{"files": 1}', "[]"):
            (self.folder / record.NAME).write_text(content)
            with self.assertRaisesRegex(ConfigError, "sweep.json is not what bin.sweep writes"):
                record.read(self.folder)


if __name__ == "__main__":
    absltest.main()
