"""The corpora without users: sotu, plain_text and lm1b."""

import gzip
import os
import pathlib
import tracemalloc

from absl.testing import absltest, parameterized

from tasks import line_blocks, lm1b, plain_text, sotu
from tasks.corpus import CorpusOptions
from tasks.errors import TaskError
from tasks.splitting import SPLITS


def texts_of(reading):
    return [text for split in SPLITS for _, texts in reading.clients[split] for text in texts]


class SotuTest(absltest.TestCase):
    def test_a_client_is_a_speech_cut_into_sentences(self):
        folder = self.create_tempdir()
        folder.create_file("1800-A-1.txt", content="We met. [Applause] (Laughter.) Mr. B spoke.\n")
        folder.create_file("1801-A-1.txt", content="Again\n\nwe meet.")
        reading = sotu.CORPUS.read(CorpusOptions(path=folder.full_path))
        clients = dict(each for split in SPLITS for each in reading.clients[split])
        self.assertEqual(
            clients,
            {"1800-A-1": ["we met.", "mr. b spoke."], "1801-A-1": ["again", "we meet."]},
        )

    def test_the_package_holds_the_speeches(self):
        reading = sotu.CORPUS.read(CorpusOptions())
        self.assertEqual(sum(len(reading.clients[split]) for split in SPLITS), 249)
        self.assertGreater(len(texts_of(reading)), 70_000)
        self.assertLen(sotu.CORPUS.fingerprint(CorpusOptions()), 64)

    def test_names_that_mix_and_what_is_no_speech(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "a").mkdir()
        for name in ("1.txt", "._1.txt"):
            (folder / name).write_bytes(b"Hello.\xff" if name[0] == "." else b"Hello.")
        options = CorpusOptions(path=str(folder))
        self.assertEqual(texts_of(sotu.CORPUS.read(options)), ["hello."])
        (folder / "a" / "1.txt").write_text("Again.")
        with self.assertRaisesRegex(TaskError, "1.txt and .*1.txt have one name"):
            sotu.CORPUS.fingerprint(options)
        (folder / "a" / "1.txt").unlink()
        (folder / "1.txt").write_bytes(b"\xff")
        with self.assertRaisesRegex(TaskError, "1.txt is not UTF-8"):
            sotu.CORPUS.read(options)

    def test_a_folder_without_speeches(self):
        with self.assertRaisesRegex(TaskError, r"sotu: no file \*\.txt in"):
            sotu.CORPUS.read(CorpusOptions(path=self.create_tempdir().full_path))


class PlainTextTest(parameterized.TestCase):
    def write(self, lines, name="book.txt"):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "part").mkdir()
        (folder / "part" / name).write_text("".join(f"{line}\n" for line in lines))
        return folder

    def test_every_sentence_is_in_one_split_in_order(self):
        lines = [f"Sentence {n} is here. So is its twin {n}." for n in range(2000)]
        folder = self.write(lines)
        reading = plain_text.CORPUS.read(CorpusOptions(path=str(folder)))
        sizes = {split: len(reading.clients[split]) for split in SPLITS}
        self.assertGreater(sizes["train"], 7 * sizes["test"])
        self.assertGreater(min(sizes.values()), 5)
        expected = [part for n in range(2000) for part in (f"sentence {n} is here.",)]
        found = texts_of(reading)
        self.assertLen(found, 4000)
        self.assertContainsSubset(expected, found)
        for split in SPLITS:
            numbers = [
                int(text.split()[1])
                for _, texts in reading.clients[split]
                for text in texts
                if text.startswith("sentence")
            ]
            self.assertEqual(numbers, sorted(numbers))
            self.assertEqual(
                list(reading.clients[split]), list(reading.clients[split]), "it can be read twice"
            )

    def test_the_file_itself_and_a_smaller_sample(self):
        folder = self.write([f"line {n}" for n in range(3000)])
        options = CorpusOptions(path=str(folder / "part" / "book.txt"), max_clients=2)
        reading = plain_text.CORPUS.read(options)
        self.assertEqual({split: len(reading.clients[split]) for split in SPLITS}["train"], 2)
        self.assertTrue(all(c.startswith("book.txt/") for c, _ in reading.clients["train"]))

    def test_memory_holds_a_block_not_the_corpus(self):
        folder = self.write(["word " * 40] * 20_000)
        size = os.path.getsize(folder / "part" / "book.txt")
        tracemalloc.start()
        reading = plain_text.CORPUS.read(CorpusOptions(path=str(folder)))
        count = sum(len(texts) for split in SPLITS for _, texts in reading.clients[split])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertEqual(count, 20_000)
        self.assertLess(peak, size / 10)

    def test_another_time_is_another_fingerprint(self):
        folder = self.write(["some text"])
        options = CorpusOptions(path=str(folder))
        before = plain_text.CORPUS.fingerprint(options)
        self.assertEqual(plain_text.CORPUS.fingerprint(options), before)
        os.utime(folder / "part" / "book.txt", ns=(0, 1))
        self.assertNotEqual(plain_text.CORPUS.fingerprint(options), before)

    def test_what_is_not_text_is_refused_and_what_is_left_out_is_listed(self):
        folder = self.write(["h\u00e9", "some text"])
        book, other = folder / "part" / "book.txt", folder / "part" / "other.bin"
        (folder / "part" / ".ipynb_checkpoints").mkdir()
        (folder / "part" / ".ipynb_checkpoints" / "book.txt").write_text("some text")
        with open(book, "ab") as file:
            file.write(b"\xff\n")
        other.write_bytes(b"ab\0")
        reading = plain_text.CORPUS.read(CorpusOptions(path=str(folder)))
        self.assertCountEqual(texts_of(reading), ["h\u00e9", "some text"])
        self.assertEqual(
            list(map(str, reading.bad_rows)),
            [
                "part/other.bin: not read: its name has none of the endings that are",
                "part/book.txt:3: not UTF-8",
            ],
        )
        book.write_bytes("\u00e9t\u00e9\n".encode("latin-1"))
        table = folder / "a.json"
        table.write_text("[]")
        for path, message in (
            (folder, "book.txt is not UTF-8: byte 0xE9 at offset 0; convert it"),
            (other, "other.bin is not text"),
            (table, "a.json is not read as json here; task.name=text does so"),
        ):
            with self.assertRaisesRegex(TaskError, message):
                plain_text.CORPUS.read(CorpusOptions(path=str(path)))

    def test_a_compressed_file_is_read_as_what_is_in_it(self):
        folder = self.write([])
        lines = [f"Line {n}." for n in range(30)]
        (folder / "part" / "book.txt").write_text("\n".join(lines))
        plain = texts_of(plain_text.CORPUS.read(CorpusOptions(path=str(folder))))
        (folder / "part" / "book.txt").unlink()
        path = folder / "part" / "book.txt.gz"
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
        for place in (folder, path):
            reading = plain_text.CORPUS.read(CorpusOptions(path=str(place)))
            self.assertCountEqual(texts_of(reading), plain)

    @parameterized.parameters((None, "task.path"), ("here", r"ends in \.txt"))
    def test_no_text(self, path, message):
        path = path and self.create_tempdir().full_path
        with self.assertRaisesRegex(TaskError, f"plain_text: .*{message}"):
            plain_text.CORPUS.fingerprint(CorpusOptions(path=path))


class Lm1bTest(parameterized.TestCase):
    @parameterized.parameters(
        ('He said , " it \'s late . "', 'He said, "it\'s late."'),
        ("They do n't ( or wo n't ) pay $ 5 , say the boys ' .", "They don't (or won't) pay $5,"),
        ("No change here", "No change here"),
    )
    def test_words_are_joined_again(self, line, expected):
        self.assertStartsWith(lm1b.undo_tokenization(line + "\n"), expected)

    def test_the_benchmarks_own_splits(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for shard in (
            *("training/news.en-00001-of-00100", "training/news.en-00002-of-00100"),
            *(f"heldout/news.en.heldout-0000{n}-of-00050" for n in range(3)),
        ):
            path = folder / shard
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{path.name} , a line\n" * 3)
        reading = lm1b.CORPUS.read(CorpusOptions(path=str(folder)))
        seen = {
            split: {text.split(",")[0] for _, texts in reading.clients[split] for text in texts}
            for split in SPLITS
        }
        self.assertEqual(
            seen,
            {
                "train": {f"news.en-0000{n}-of-00100" for n in (1, 2)},
                "validation": {"news.en.heldout-00001-of-00050"},
                "test": {"news.en.heldout-00000-of-00050"},
            },
        )


class LinesPerBlockTest(absltest.TestCase):
    def test_few_lines_still_give_many_blocks(self):
        def size(lines):
            return line_blocks.lines_per_block(
                [line_blocks.NumberedLines("a", pathlib.Path("a"), lines)]
            )

        self.assertEqual([size(n) for n in (1, 1000, 10**9)], [1, 5, 1000])


if __name__ == "__main__":
    absltest.main()
