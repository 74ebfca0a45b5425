from absl.testing import absltest

from tests.tasks.fixtures import parse


class PlainTextTest(absltest.TestCase):
    def test_a_file_is_a_person(self):
        good, bad = parse("file.txt", b"one\n\n tw\xc3\xb6\n\xff\n")
        self.assertEqual(good, [("file", "one"), ("file", " tw\u00f6")])
        self.assertEqual(bad, [(4, "not UTF-8")])

    def test_any_case_and_compression(self):
        self.assertEqual(parse("File.TXT.GZ", "one\n"), ([("File", "one")], []))


if __name__ == "__main__":
    absltest.main()
