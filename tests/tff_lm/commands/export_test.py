import pathlib

from absl.testing import absltest

from tff_lm.commands import export


class WholeTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.parent = pathlib.Path(self.create_tempdir().full_path)
        self.folder = self.parent / "exported"
        self.folder.mkdir()

    def test_what_is_whole_takes_its_place(self):
        # What a killed export has left is in nobody's way.
        (self.parent / ".exported.partial").mkdir()
        with export._whole(self.folder) as temporary:
            temporary.mkdir()
            (temporary / "saved_model.pb").touch()
            self.assertEmpty(list(self.folder.iterdir()))
        self.assertEqual(
            [path.relative_to(self.parent) for path in self.parent.rglob("*.pb")],
            [pathlib.Path("exported", "saved_model.pb")],
        )

    def test_what_fails_leaves_nothing(self):
        with self.assertRaises(OSError), export._whole(self.folder) as temporary:
            temporary.mkdir()
            (temporary / "saved_model.pb").touch()
            raise OSError("full")
        self.assertEmpty(list(self.parent.iterdir()))


if __name__ == "__main__":
    absltest.main()
