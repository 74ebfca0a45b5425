import bz2
import gzip
import lzma
import pathlib

import pyarrow
from absl.testing import absltest, parameterized

from tasks.errors import TaskError
from tasks.readers.text_files import is_compressed, is_utf8, numbered_lines


def _zstd(data):
    return pyarrow.compress(data, codec="zstd", asbytes=True)


class NumberedLinesTest(parameterized.TestCase):
    def write(self, content):
        path = pathlib.Path(self.create_tempdir().full_path) / "a.txt"
        path.write_bytes(content)
        return path

    def lines(self, content):
        return [line for _, line in numbered_lines(self.write(content))]

    @parameterized.parameters(
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"a\rb\r\rc", ["a", "b", "", "c"]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
        (b"a\x0bb\x0cc\xe2\x80\xa8d\n", ["a\x0bb\x0cc\u2028d"]),
        (b"one\0two, and more\n", ["one\0two, and more"]),
        (b"", []),
    )
    def test_ends_of_lines(self, content, expected):
        self.assertEqual(self.lines(content), expected)
        self.assertEqual([n for n, _ in numbered_lines(self.write(b"a\n\nb"))], [1, 2, 3])

    @parameterized.parameters("utf-8", "utf-8-sig", "utf-16", "utf-32")
    def test_encodings_that_are_read(self, encoding):
        for end in ("\n", "\r\n", "\r"):
            content = end.join(["h\u00e9", "\U0001f600", ""]).encode(encoding)
            self.assertEqual(self.lines(content), ["h\u00e9", "\U0001f600"])

    @parameterized.parameters(gzip.compress, bz2.compress, lzma.compress, _zstd)
    def test_compressions_whatever_the_name(self, compress):
        content = "h\u00e9\nb\n".encode() * 40_000
        compressed = compress(content)
        path = self.write(compressed)
        self.assertTrue(is_compressed(path))
        self.assertEqual(sum(line == "h\u00e9" for _, line in numbered_lines(path)), 40_000)
        # Files put one after another are one.
        self.assertLen(self.lines(compress(b"a\n") * 2), 2)
        self.assertEqual(self.lines(compress(b"")), [])
        for damaged in (compressed[: len(compressed) // 2], compressed[:12] + bytes(200)):
            with self.assertRaisesRegex(TaskError, "a.txt is damaged or cut short"):
                self.lines(damaged)

    @parameterized.parameters(
        (b"PK\x03\x04rest", "a zip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1", "Parquet; task.name=text"),
        (b"ARROW1", "Arrow"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\xd0\xcf\x11\xe0", "an old office document"),
        (b"ab\0\n", "not text: byte 2 is zero"),
        (b"abcdefghijkl\xff\0", "not text: byte 13 is zero"),
        ("ab".encode("utf-16-le"), "not text: byte 1 is zero .UTF-16 without mark"),
        (b"\xff\xfea\0b", "begins as utf-16 but is not"),
        (gzip.compress(b"PK\x03\x04"), "a zip archive"),
    )
    def test_what_is_not_text_is_refused_by_name(self, content, message):
        with self.assertRaisesRegex(TaskError, f"a.txt (is )?{message}"):
            self.lines(content)

    def test_another_encoding_is_refused_with_the_place_and_the_remedy(self):
        content = "ab\n\u00e9t\u00e9\n".encode("cp1252") * 3
        message = r"byte 0xE9 at offset 3; convert it \(iconv -f WINDOWS-1252 -t UTF-8, or"
        for each in (content, gzip.compress(content)):
            with self.assertRaisesRegex(TaskError, message):
                self.lines(each)

    def test_some_damaged_lines_are_marked(self):
        lines = self.lines("h\u00e9\n".encode() + b"\xff\n" + b"a\n")
        self.assertEqual([is_utf8(line) for line in lines], [True, False, True])


if __name__ == "__main__":
    absltest.main()
