from absl.testing import absltest, parameterized

from tasks.commits import lines


class LinesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("trailer", "Signed-off-by: Ada <a@x.org>"),
        ("trailer", "Change-Id: I03efe6def37a018c3de410523be21bf008174e94"),
        ("trailer", "Reviewed by: Ada <a@x.org>"),
        ("trailer", "BUG=chrome-os-partner:57513"),
        ("trailer", "TEST=build and boot"),
        ("trailer", "Closes #4900"),
        ("trailer", "Fixes https://example.org/2786"),
        ("trailer", "Cc: ada"),
        ("trailer", "(cherry picked from commit 930b0d4)"),
        ("trailer", "This reverts commit 930b0d4c"),
        ("trailer", "[jk: reworded the message]"),
        ("quote", "> what they wrote before"),
        ("separator", "-----"),
        ("separator", "= = = ="),
        ("log", "[   12.345678] usb 1-1: new device"),
        ("log", "10:04:02.534492 IP is alive"),
        ("log", "2000-06-30  Ada"),
        ("log", "foo.c:12:3: error: expected"),
        ("log", "warning: unused variable"),
        ("log", "#3 0 in main"),
        ("command", "$ make check"),
        ("command", "=> usb start"),
        ("command", "git -C folder log"),
        ("table", "big pack     (time)   15.29s     12.32s"),
        ("table", "one | two"),
        ("table", "3 files changed, 2 insertions"),
        ("code", "return foo(bar);"),
        ("code", "x = y + 1;"),
        ("code", "CURLOPT_URL, CURLOPT_PORT"),
        ("code", "src/main.c"),
        ("code", "}"),
        ("long_line", "word " * 500),
    )
    def test_kinds(self, kind, line):
        self.assertEqual(lines.kind(line), kind)
        self.assertEqual(lines.kind(f"  {line}"), kind)

    @parameterized.parameters(
        "The code uses it instead;",
        "file.",
        "makes strict the default.  See the manual.  It is there.",
        "3.0 kernel was supposed to provide a safe way to call an arbitrary",
        "make --head always show the HEAD ref",
        "closes the file when the last reader is gone",
        "fixes the way in which foo() is called",
        "(but see below), which returns 1",
        "... as we never use them",
        "error handling was missing",
    )
    def test_prose(self, line):
        self.assertIsNone(lines.kind(line))

    def test_share_of_plain_words(self):
        self.assertEqual(lines.plain_share('It\'s "fine", (really).'), 1.0)
        self.assertEqual(lines.plain_share("call foo_bar() x86 now"), 0.5)
        self.assertEqual(lines.plain_share(""), 0.0)


if __name__ == "__main__":
    absltest.main()
