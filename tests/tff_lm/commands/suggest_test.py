import contextlib
import io
import sys
from unittest import mock

from absl.testing import absltest

from tff_lm.commands import suggest
from tff_lm.commands.word_search import Suggestion


class _Suggester:
    def words_after(self, phrase, count):
        return [Suggestion(f"{phrase}!", 0.5)] * count


class PromptTest(absltest.TestCase):
    def prompt(self, *typed):
        out = io.StringIO()
        with (
            mock.patch("builtins.input", side_effect=typed),
            contextlib.redirect_stdout(out),
        ):
            suggest._prompt(_Suggester(), 1)
        return out.getvalue()

    def test_it_answers_until_the_end_of_input_or_ctrl_c(self):
        for end in (EOFError, KeyboardInterrupt):
            self.assertEndsWith(self.prompt("how", "", end), "  50.00%  how!\n  50.00%  !\n\n")

    def test_what_is_typed_can_be_edited_and_recalled(self):
        with mock.patch.dict(sys.modules):
            sys.modules.pop("readline", None)
            self.prompt(EOFError)
            self.assertIn("readline", sys.modules)


if __name__ == "__main__":
    absltest.main()
