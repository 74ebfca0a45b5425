import contextlib
import dataclasses
import io
import itertools
import lzma
import os
import pathlib
from unittest import mock

import tensorflow_federated as tff
from absl.testing import absltest
from tensorflow_federated.python.simulation.datasets import download as tff_download

from tasks import preparation, stackoverflow
from tasks.corpus import Corpus, CorpusOptions
from tasks.download import Source
from tasks.errors import TaskError
from tasks.task import load_task
from tests.tasks.file_server import FileServer


def _synthetic(options: CorpusOptions):
    data = tff.simulation.datasets.stackoverflow.get_synthetic()
    return stackoverflow.reading_of({"train": data, "validation": data, "test": data}, options)


class StackOverflowTest(absltest.TestCase):
    def test_streams_every_time_it_is_iterated(self):
        clients = _synthetic(CorpusOptions()).clients["train"]
        self.assertLen(clients, 3)
        once, again = list(clients), list(clients)
        self.assertEqual(once, again)
        name, texts = once[2]
        self.assertEqual(name, "synthetic_3")
        self.assertEqual(texts, ["edit :", "the spec is available here ."])

    def test_caps(self):
        options = CorpusOptions(min_examples=3, max_examples=3, max_clients=2)
        clients = _synthetic(options).clients["train"]
        self.assertLen(clients, 2)
        self.assertTrue(all(len(texts) == 3 for _, texts in clients))
        sizes = [
            len(texts) for _, texts in _synthetic(CorpusOptions(max_examples=1)).clients["test"]
        ]
        self.assertEqual(sizes, [1, 1, 1])

    def test_prepares_the_synthetic_data(self):
        corpus = Corpus(fingerprint=lambda _: "synthetic", read=_synthetic)
        folder = preparation.prepare(
            "stackoverflow",
            corpus,
            CorpusOptions(max_examples=2),
            cache_dir=self.create_tempdir().full_path,
            vocabulary_size=120,
            max_length=500,
            progress=False,
        )
        task = load_task("stackoverflow", folder)
        names = ["synthetic_1", "synthetic_2", "synthetic_3"]
        for split in ("train", "validation", "test"):
            self.assertEqual(task.client_sizes(split), dict.fromkeys(names, 2))
            self.assertEqual(task.statistics["splits"][split]["unknown_pieces"], 0)

    def database(self):
        """A file as TFF's own, with one client a split."""
        path = f"{self.create_tempdir().full_path}/{stackoverflow.FILE_NAME}"
        synthetic = tff.simulation.datasets.stackoverflow.get_synthetic()
        splits = dict(zip(synthetic.client_ids, ("train", "heldout", "test"), strict=True))
        tff.simulation.datasets.save_to_sql_client_data(
            synthetic.client_ids,
            synthetic.create_tf_dataset_for_client,
            path,
            split_names_by_client_id=splits,
        )
        return pathlib.Path(path)

    def check(self, options):
        self.assertNotEmpty(stackoverflow.CORPUS.fingerprint(options))
        clients = stackoverflow.CORPUS.read(options).clients
        found = {split: [name for name, _ in members] for split, members in clients.items()}
        self.assertEqual(
            found,
            {"train": ["synthetic_1"], "validation": ["synthetic_2"], "test": ["synthetic_3"]},
        )
        texts = list(itertools.chain(*(texts for _, texts in clients["train"])))
        self.assertEqual(texts[1], "css3 does finally define the")

    def test_reads_tffs_file_or_its_folder(self):
        path = self.database()
        for given in (path, path.parent):
            self.check(CorpusOptions(path=str(given)))

    def test_downloads_to_where_tff_looks_and_reads_that(self):
        content = lzma.compress(self.database().read_bytes(), format=lzma.FORMAT_ALONE)
        home = self.create_tempdir().full_path
        self.enter_context(mock.patch.dict(os.environ, {"HOME": home}))
        with FileServer(content).running() as server, contextlib.redirect_stdout(io.StringIO()):
            published = dataclasses.replace(
                stackoverflow.PUBLISHED, source=Source(server.url("stackoverflow.sqlite.lzma"))
            )
            self.enter_context(mock.patch.object(stackoverflow, "PUBLISHED", published))
            self.check(CorpusOptions())
        self.assertLen(server.asked, 1)
        # TFF 0.87's loader finds it there, and asks nobody.
        train, _, _ = tff.simulation.datasets.stackoverflow.load_data()
        self.assertEqual(train.client_ids, ["synthetic_1"])

    def test_the_source_is_that_of_tff(self):
        with mock.patch.object(tff_download, "get_compressed_file", side_effect=KeyError) as get:
            self.assertRaises(KeyError, tff.simulation.datasets.stackoverflow.load_data)
        self.assertEqual(get.call_args.kwargs["origin"], stackoverflow.PUBLISHED.source.url)

    def test_says_what_to_download_and_where_it_looked(self):
        folder, home = (self.create_tempdir().full_path for _ in range(2))
        self.enter_context(mock.patch.dict(os.environ, {"HOME": home}))
        url = "http://127.0.0.1:9/stackoverflow.sqlite.lzma"
        published = dataclasses.replace(stackoverflow.PUBLISHED, source=Source(url))
        self.enter_context(mock.patch.object(stackoverflow, "PUBLISHED", published))
        for path, places in ((folder, folder), (None, f"{home}/.tff or {home}/.keras/datasets")):
            with self.assertRaisesRegex(
                TaskError,
                f"neither stackoverflow.sqlite nor stackoverflow.sqlite.lzma is in {places}"
                f".*; get {url} .*task.path",
            ):
                stackoverflow.CORPUS.fingerprint(CorpusOptions(path=path))

    def test_a_file_that_is_cut_off_or_none_of_sqlite_is_refused(self):
        path = self.database()
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.truncate(size - 4096)
        with self.assertRaisesRegex(TaskError, f"{path} is cut off, at .* of {size:,} bytes"):
            stackoverflow.CORPUS.fingerprint(CorpusOptions(path=str(path)))
        path.write_bytes(b"no database")
        with self.assertRaisesRegex(TaskError, f"{path} is no SQLite file; remove it"):
            stackoverflow.CORPUS.fingerprint(CorpusOptions(path=str(path)))


if __name__ == "__main__":
    absltest.main()
