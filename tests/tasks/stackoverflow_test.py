import itertools

import tensorflow_federated as tff
from absl.testing import absltest

from tasks import preparation, stackoverflow
from tasks.corpus import Corpus, CorpusOptions
from tasks.errors import TaskError
from tasks.task import load_task


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

    def test_reads_tffs_file(self):
        folder = self.create_tempdir().full_path
        path = f"{folder}/{stackoverflow.FILE_NAME}"
        synthetic = tff.simulation.datasets.stackoverflow.get_synthetic()
        splits = dict(zip(synthetic.client_ids, ("train", "heldout", "test"), strict=True))
        tff.simulation.datasets.save_to_sql_client_data(
            synthetic.client_ids,
            synthetic.create_tf_dataset_for_client,
            path,
            split_names_by_client_id=splits,
        )
        options = CorpusOptions(path=folder)
        self.assertNotEmpty(stackoverflow.CORPUS.fingerprint(options))
        clients = stackoverflow.CORPUS.read(options).clients
        found = {split: [name for name, _ in members] for split, members in clients.items()}
        self.assertEqual(
            found,
            {"train": ["synthetic_1"], "validation": ["synthetic_2"], "test": ["synthetic_3"]},
        )
        texts = list(itertools.chain(*(texts for _, texts in clients["train"])))
        self.assertEqual(texts[1], "css3 does finally define the")

    def test_says_what_to_download_and_where_it_looked(self):
        folder = self.create_tempdir().full_path
        with self.assertRaisesRegex(TaskError, f"no file at {folder}.*load_data.*task.path"):
            stackoverflow.CORPUS.fingerprint(CorpusOptions(path=folder))


if __name__ == "__main__":
    absltest.main()
