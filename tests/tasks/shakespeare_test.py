from absl.testing import absltest

from tasks import shakespeare
from tasks.corpus import CorpusOptions
from tasks.errors import TaskError

# Markdown's line breaks: two spaces at the end.
_PLAY = """# Hamlet

## ACT I

_Enter two_

**FIRST  CLOWN**..
Alas,..
poor _Aside_ Yorick [Exit]!..
_Exeunt_

### SCENE II

Not spoken.

**HAMLET**..
Words.
""".replace("..\n", "  \n")


class ShakespeareTest(absltest.TestCase):
    def test_speakers_and_their_lines(self):
        spoken = list(shakespeare.parse_play(_PLAY.splitlines()))
        self.assertEqual(
            [(who, " ".join(line.split())) for who, line in spoken],
            [
                ("FIRST CLOWN", "Alas,"),
                ("FIRST CLOWN", "poor Yorick !"),
                ("HAMLET", "Words."),
            ],
        )

    def test_a_client_is_a_speaker_of_a_play(self):
        folder = self.create_tempdir()
        for name in ("hamlet.md", "sub/other.md"):
            folder.create_file(name, content=_PLAY)
        reading = shakespeare.CORPUS.read(CorpusOptions(path=folder.full_path))
        clients = {client for clients in reading.clients.values() for client, _ in clients}
        names = {
            f"{play}/{who}" for play in ("hamlet", "other") for who in ("FIRST CLOWN", "HAMLET")
        }
        self.assertEqual(clients, names)

    def test_the_package_holds_the_plays(self):
        self.assertLen(shakespeare.CORPUS.fingerprint(CorpusOptions()), 64)

    def test_a_folder_without_plays(self):
        with self.assertRaisesRegex(TaskError, r"shakespeare: no file \*\.md in"):
            shakespeare.CORPUS.fingerprint(CorpusOptions(path=self.create_tempdir().full_path))


if __name__ == "__main__":
    absltest.main()
