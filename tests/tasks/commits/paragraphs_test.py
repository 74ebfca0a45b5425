import collections
import textwrap

from absl.testing import absltest, parameterized

from tasks.commits import paragraphs


def _split(message):
    removed = collections.Counter()
    return list(paragraphs.split(textwrap.dedent(message), removed)), removed


class SubjectTest(parameterized.TestCase):
    @parameterized.parameters(
        ("dm: exynos: Make sure of it", "Make sure of it"),
        ("[PATCH 3/5] x86: make it so", "make it so"),
        ("mb/google/x, mb/acer/y: Enable it", "Enable it"),
        ("* src/a.c (main, usage): Use the state", "Use the state"),
        ("(find_mount_point): Emit a message", "Emit a message"),
        ("Fix the test (#17084)", "Fix the test"),
        ("Fix the test [BZ #17084]", "Fix the test"),
        ("Say why: it is a long way", "it is a long way"),
        ("This is what the long subject says: nothing", None),
    )
    def test_without_what_it_is_about(self, subject, expected):
        self.assertEqual(_split(subject)[0], [expected or subject])

    @parameterized.parameters('Revert "dm: Make sure"', "Reapply: 'this'", "revert the last one")
    def test_a_quoted_subject_is_left_out(self, subject):
        found, removed = _split(f"{subject}\n\nIt broke the build.")
        self.assertEqual(found, ["It broke the build."])
        self.assertEqual(removed, {"revert": 1, "prose": 1})

    def test_goes_on_in_the_next_line_without_an_empty_one(self):
        self.assertEqual(
            _split("Use a single\nvariable for it.")[0], ["Use a single variable for it."]
        )


class BodyTest(parameterized.TestCase):
    def test_joins_lines_and_words_that_a_hyphen_cuts(self):
        found, _ = _split("""\
            Subject

            These could return non-
            zero content, up to -
            or over the end.

            Second.
            """)
        self.assertEqual(
            found,
            ["Subject", "These could return non-zero content, up to - or over the end.", "Second."],
        )

    def test_items_of_lists_are_paragraphs(self):
        found, removed = _split("""\
            Subject

            There are two steps:

              1. Create the file in
                 its place.

              2. Verify it.
            - and a third
              one
            """)
        self.assertEqual(
            found[1:],
            [
                "There are two steps:",
                "Create the file in its place.",
                "Verify it.",
                "and a third one",
            ],
        )
        self.assertEqual(removed, {"prose": 7})

    def test_entries_of_a_changelog(self):
        found, _ = _split("""\
            Subject

            \t* src/digest.c (digest_check): Use the correct
            \tvariable.
            \t(rol64): Remove the old name.
            \t* tests/md5sum.pl: Add a test case.
            """)
        self.assertEqual(
            found[1:], ["Use the correct variable.", "Remove the old name.", "Add a test case."]
        )

    @parameterized.parameters(
        ("fence", "```\nint main of all\nmore\n```", 4),
        ("indented", "    the code of it\n    and more", 2),
        ("quote", "> so they say\n> and say", 2),
        ("diff", "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-old words\n+new words", 6),
        ("trailer", "Reported-by: Ada\nwho found it", 2),
        ("command", "$ run it now", 1),
    )
    def test_blocks_of_something_else_are_left_out(self, rule, block, count):
        found, removed = _split(f"Subject\n\nIt is so.\n\n{block}\n\nAnd it stays.")
        self.assertEqual(found, ["Subject", "It is so.", "And it stays."])
        self.assertEqual(removed, {"prose": 3, rule: count})

    def test_a_sentence_that_a_block_interrupts_goes_with_it(self):
        found, _ = _split("""\
            Subject

            This is whole. But here we
            $ run it
            and go on. This is whole, too.
            $ run it
            Capitals begin anew.
            """)
        self.assertEqual(
            found[1:], ["This is whole.", "This is whole, too.", "Capitals begin anew."]
        )

    def test_trailers_interrupt_nothing(self):
        found, _ = _split("Subject\n\nno full stop\nSigned-off-by: Ada")
        self.assertEqual(found, ["Subject", "no full stop"])


if __name__ == "__main__":
    absltest.main()
