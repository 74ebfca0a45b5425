import io
import math

from absl.testing import absltest, parameterized

from tff_lm.run_folder import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class ProgressTest(parameterized.TestCase):
    @parameterized.parameters(
        (0, "0 B"), (999, "999 B"), (16_281_600, "16.3 MB"), (4.2e9, "4.2 GB"), (5e15, "5e+03 TB")
    )
    def test_bytes_for_people(self, count, text):
        self.assertEqual(progress.human_bytes(count), text)

    def test_perplexity_of_a_diverged_model_is_infinite(self):
        self.assertEqual(progress.perplexity(1e6), math.inf)
        self.assertAlmostEqual(progress.perplexity(2.0), math.exp(2.0))

    def test_a_terminal_gets_a_bar_and_a_log_file_does_not(self):
        screen, log = Terminal(), io.StringIO()
        for stream in (screen, log):
            bar = progress.Progress(rounds=5, done=2, stream=stream)
            bar.round_done(
                loss=2.0,
                keyboard_perplexity=9.0,
                tokens_per_second=1234.0,
                upload_bytes_per_client=5e6,
                upload_reduction=8,
                rejected=2.0,
            )
            bar.say("a line")
            bar.close()
        for text in (
            "3/5",
            "loss 2.000, perplexity 9.00 (7.39 with end of sentence), 1,234 tokens/s, "
            "5 MB up a client (8.0x less), "
            "2 clients rejected",
        ):
            self.assertIn(text, screen.getvalue())
        self.assertIn("a line\n", screen.getvalue())
        self.assertEqual(log.getvalue(), "a line\n")


if __name__ == "__main__":
    absltest.main()
