import os
import pathlib

from absl.testing import absltest, parameterized

from tasks.errors import TaskError
from tasks.readers.data_files import DataFile, find_files

_KINDS = (".csv", ".txt")


class FindFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def write(self, *names):
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")

    def find(self):
        files, left_out = find_files("text", str(self.folder), _KINDS)
        return [file.name for file in files], left_out

    def test_a_folder_and_its_subfolders(self):
        self.write("b.txt", "sub/a.csv", "sub/c.CSV.GZ", "notes.md", "NOTES.TXT")
        found, left_out = self.find()
        self.assertEqual(found, ["NOTES.TXT", "b.txt", "sub/a.csv", "sub/c.CSV.GZ"])
        self.assertEqual(
            list(map(str, left_out)),
            ["notes.md: not read: its name has none of the endings that are"],
        )

    @parameterized.parameters(
        ".a.txt",
        "._a.txt",
        ".ipynb_checkpoints/a.txt",
        "sub/.git/deep/a.txt",
        "__MACOSX/sub/a.txt",
        "__pycache__/a.txt",
        "~$a.csv",
    )
    def test_what_systems_and_editors_leave_is_nobodys_text(self, name):
        self.write("a.txt", name)
        self.assertEqual(self.find(), (["a.txt"], []))

    def test_a_hidden_folder_may_be_named(self):
        self.folder /= ".mine"
        self.write("a.txt")
        self.assertEqual(self.find(), (["a.txt"], []))

    def test_metadata_beside_arrow_files_are_no_rows(self):
        self.write("train/data.arrow", "train/state.json", "dataset_dict.json", "more.json")
        files, _ = find_files("text", str(self.folder), (".arrow", ".json"))
        self.assertEqual([file.name for file in files], ["more.json", "train/data.arrow"])

    def test_one_file(self):
        self.write("a.csv.zst")
        files, _ = find_files("text", str(self.folder / "a.csv.zst"), _KINDS)
        self.assertEqual([(file.name, file.kind) for file in files], [("a.csv.zst", ".csv")])

    def test_a_name_that_is_not_utf8(self):
        with open(os.fsencode(self.folder) + b"/\xe9.txt", "wb"):
            pass
        self.assertEqual(self.find(), (["\\xe9.txt"], []))

    def test_errors_name_the_path(self):
        self.write("a.md", "b.gz")
        for path, message in (
            (None, "text: say where"),
            ("/nowhere", "text: there is nothing at /nowhere"),
            (str(self.folder / "a.md"), r"cannot read .*a.md; a file ends in .csv, .txt, alone or"),
            (str(self.folder / "b.gz"), "cannot read .*b.gz"),
            (str(self.folder), "no file in"),
        ):
            with self.assertRaisesRegex(TaskError, message):
                find_files("text", path, _KINDS)


class PersonTest(parameterized.TestCase):
    @parameterized.parameters(
        ("a.txt", "a"),
        ("A.TXT", "A"),
        ("a.b.txt.gz", "a.b"),
        ("one/user0.txt", "one/user0"),
        ("Zoe\u0308.txt", "Zo\u00eb"),
    )
    def test_a_file_names_its_person_by_its_place(self, name, person):
        self.assertEqual(DataFile(pathlib.Path(name), name).person, person)


if __name__ == "__main__":
    absltest.main()
