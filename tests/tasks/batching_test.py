import collections
import itertools
import tempfile

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from tasks import batching
from tasks.batching import BatchSpec
from tasks.errors import TaskError
from tests.tasks import fixtures
from tff_lm.client_order import NOBODY, ClientOrder

_LENGTHS = [3, 7, 1, 12, 2, 2, 5, 9, 30, 4, 2]
_QUOTED = 'o\'brien/2; "x"'


def _order(seed: int, round_number: int, client: str) -> str:
    return ClientOrder(seed, round_number, client).encode()


def _known_by(batch) -> list[int]:
    """The first piece of each sentence of a batch, which no other sentence has."""
    return batch["y"][:, 0].tolist()


def _reference_batch(sentences: list[list[int]], max_length: int):
    """x and y in NumPy, by the definition."""
    inputs = [([1] + sentence)[:max_length] for sentence in sentences]
    targets = [(sentence + [2])[:max_length] for sentence in sentences]
    width = max(len(row) for row in inputs)
    x, y = (
        np.array([row + [0] * (width - len(row)) for row in rows], np.int32)
        for rows in (inputs, targets)
    )
    return x, y


class BatchingTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enter_context(tempfile.TemporaryDirectory())
        cls.sentences = fixtures.numbered_sentences(_LENGTHS)
        cls.path = fixtures.write_store(
            folder,
            {"a": cls.sentences, _QUOTED: [[5, 6]], "b": cls.sentences, "silent": []},
        )

    def batches(self, client: str, split: str = "train", **spec):
        dataset_fn = batching.make_dataset_fn(self.path, split, BatchSpec(**spec))
        return list(dataset_fn(tf.constant(client)).as_numpy_iterator())

    def assert_batches_equal(self, actual, expected):
        self.assertLen(actual, len(expected))
        for one, other in zip(actual, expected, strict=True):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)

    @parameterized.parameters((4, 30, None), (4, 5, None), (3, 8, 7), (16, 1, 5))
    def test_first_sentences_in_stored_order_equal_numpy(self, batch_size, max_length, examples):
        batches = self.batches(
            _order(0, 0, "a"),
            batch_size=batch_size,
            max_length=max_length,
            examples_per_client=examples,
            shuffle=False,
            bucket=False,
        )
        taken = self.sentences[:examples]
        self.assertLen(batches, -(-len(taken) // batch_size))
        for index, batch in enumerate(batches):
            members = taken[index * batch_size : (index + 1) * batch_size]
            x, y = _reference_batch(members, max_length)
            np.testing.assert_array_equal(batch["x"], x)
            np.testing.assert_array_equal(batch["y"], y)

    @parameterized.parameters(
        # Of eleven sentences, known by the first piece of each.
        ((0.0, 0.5), [10, 13, 20, 21, 33]),
        ((0.5, 1.0), [35, 37, 42, 51, 81, 85]),
        ((0.3, 0.7), [21, 33, 35, 37]),
        ((0.0, 0.05), []),
        ((1.0, 1.0), []),
    )
    def test_a_part_of_the_sentences_in_stored_order(self, part, expected):
        for shuffle in (False, True):
            batches = self.batches(_order(0, 0, "a"), part=part, shuffle=shuffle)
            self.assertCountEqual(itertools.chain(*map(_known_by, batches)), expected)
        limited = self.batches(
            _order(0, 0, "a"), part=part, shuffle=False, bucket=False, examples_per_client=2
        )
        self.assertEqual(list(itertools.chain(*map(_known_by, limited))), expected[:2])

    @parameterized.parameters((100, 0.29, 29), (10, 0.7, 7), (3, 1 / 3, 1), (1, 0.999, 0))
    def test_bounds_are_those_of_the_fraction_that_is_meant(self, count, share, expected):
        first, end = batching.part_bounds(tf.constant(count, tf.int64), (share, 1.0))
        self.assertEqual((int(first), int(end)), (expected, count))

    @parameterized.product(
        shuffle=[False, True], bucket=[False, True], max_length=[4, 30], examples=[None, 6]
    )
    def test_each_sentence_once_and_whole(self, shuffle, bucket, max_length, examples):
        batches = self.batches(
            _order(1, 2, "a"),
            batch_size=3,
            max_length=max_length,
            examples_per_client=examples,
            shuffle=shuffle,
            bucket=bucket,
        )
        by_first = {sentence[0]: sentence for sentence in self.sentences}
        seen = collections.Counter()
        for batch in batches:
            self.assertEqual((batch["x"].dtype, batch["y"].dtype), (np.int32, np.int32))
            self.assertLessEqual(batch["x"].shape[0], 3)
            members = [by_first[first] for first in _known_by(batch)]
            x, y = _reference_batch(members, max_length)
            np.testing.assert_array_equal(batch["x"], x)
            np.testing.assert_array_equal(batch["y"], y)
            seen.update(_known_by(batch))
        self.assertEqual(set(seen.values()), {1})
        self.assertLen(seen, examples or len(_LENGTHS))

    def test_a_truncated_sentence_has_no_end(self):
        (batch,) = self.batches(
            _order(0, 0, "a"), examples_per_client=2, max_length=7, shuffle=False
        )
        three, seven = sorted(batch["y"].tolist(), key=lambda row: row[0])
        self.assertEqual(three, [10, 11, 12, 2, 0, 0, 0])
        self.assertEqual(seven, [13, 14, 15, 16, 17, 18, 19])

    def test_buckets_without_shuffling_are_in_order_of_length(self):
        batches = self.batches(
            _order(0, 0, "a"), batch_size=4, max_length=30, shuffle=False, extra_batches=0
        )
        widths = [batch["x"].shape[1] for batch in batches]
        self.assertEqual(widths, sorted(widths))
        lengths = list(itertools.chain(*((b["y"] != 0).sum(axis=1).tolist() for b in batches)))
        self.assertEqual(lengths, sorted(min(length + 1, 30) for length in _LENGTHS))

    def test_buckets_hold_less_padding(self):
        plain = self.batches(_order(0, 0, "a"), batch_size=4, bucket=False)
        buckets = self.batches(_order(0, 0, "a"), batch_size=4, extra_batches=0)
        more = self.batches(_order(0, 0, "a"), batch_size=4, extra_batches=1)
        self.assertLen(plain, 3)
        self.assertLen(buckets, 3)
        self.assertLen(more, 4)
        fractions = [batching.padding_fraction(each) for each in (more, buckets, plain)]
        self.assertEqual(fractions, sorted(fractions))
        self.assertLess(fractions[0], fractions[2])

    @parameterized.parameters(True, False)
    def test_the_same_string_gives_the_same_batches(self, bucket):
        spec = _order(3, 4, "a")
        once = self.batches(spec, batch_size=4, bucket=bucket)
        self.assert_batches_equal(once, self.batches(spec, batch_size=4, bucket=bucket))

    @parameterized.named_parameters(
        ("seed", _order(1, 0, "a")),
        ("round", _order(0, 1, "a")),
        ("client", _order(0, 0, "b")),
    )
    def test_order_and_seed_depend_on(self, other):
        spec = {"batch_size": 4, "examples_per_client": 8}
        one, two = self.batches(_order(0, 0, "a"), **spec), self.batches(other, **spec)
        self.assertNotEqual([_known_by(b) for b in one], [_known_by(b) for b in two])
        self.assertNotEqual(one[0]["seed"].tolist(), two[0]["seed"].tolist())

    def test_sentences_drawn_differ_between_rounds(self):
        drawn = {
            frozenset(
                itertools.chain(
                    *map(_known_by, self.batches(_order(0, number, "a"), examples_per_client=4))
                )
            )
            for number in range(5)
        }
        self.assertGreater(len(drawn), 1)

    def test_seed_is_the_same_in_all_batches(self):
        batches = self.batches(_order(0, 0, "a"), batch_size=2)
        seeds = {tuple(batch["seed"].tolist()) for batch in batches}
        self.assertLen(seeds, 1)
        self.assertEqual(batches[0]["seed"].dtype, np.int32)

    def test_a_long_last_sentence_is_not_padded_to_by_others(self):
        batches = self.batches(_order(0, 0, "a"), batch_size=4, max_length=40)
        for batch in batches:
            self.assertTrue((batch["y"] != 0).any(axis=0).all())

    @parameterized.parameters(
        ({"steps": 2}, 2), ({"share": 0.5}, 2), ({"steps": 3, "share": 0.25}, 1), ({"steps": 9}, 3)
    )
    def test_an_order_for_less_work_is_the_first_part_of_the_whole(self, work, count):
        options = {"batch_size": 4, "extra_batches": 0}
        whole = self.batches(_order(3, 4, "a"), **options)
        self.assertLen(whole, 3)
        less = self.batches(ClientOrder(3, 4, "a", **work).encode(), **options)
        self.assert_batches_equal(less, whole[:count])

    def test_ids_with_quotes_and_slashes(self):
        (batch,) = self.batches(_order(0, 0, _QUOTED))
        self.assertEqual(batch["y"].tolist(), [[5, 6, 2]])

    @parameterized.parameters(
        NOBODY, "0/0/nobody", "0/0/silent", "0/0/' OR '1'='1", _order(-1, 0, "nobody")
    )
    def test_no_batches(self, client):
        self.assertEmpty(self.batches(client))
        self.assertEmpty(self.batches(client, shuffle=False, bucket=False))

    def test_other_splits_rows_are_not_seen(self):
        self.assertEmpty(self.batches(_order(0, 0, "a"), split="test"))

    @parameterized.parameters("a", "0/a", "0/0/", "x/0/a", "0/0.5/a", "//a")
    def test_a_malformed_spec_is_refused(self, client):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "seed/round/client id"):
            self.batches(client)

    def test_arguments_are_checked(self):
        with self.assertRaisesRegex(TaskError, "batch_size .* not 0"):
            BatchSpec(batch_size=0)
        with self.assertRaisesRegex(TaskError, "max_length .* not None"):
            BatchSpec(max_length=None)
        with self.assertRaisesRegex(TaskError, "extra_batches .* not -1"):
            BatchSpec(extra_batches=-1)
        for part in ((0.5, 0.4), (-0.1, 1.0), (0.0, 1.1), (float("nan"), 1.0)):
            with self.assertRaisesRegex(TaskError, "part is two ascending shares"):
                BatchSpec(part=part)
        with self.assertRaisesRegex(TaskError, "unknown split 'trian'; did you mean train"):
            batching.make_dataset_fn(self.path, "trian", BatchSpec())

    def test_element_spec(self):
        dataset = batching.make_dataset_fn(self.path, "train", BatchSpec())(tf.constant(""))
        self.assertEqual(list(dataset.element_spec), ["x", "y", "seed"])
        tf.nest.map_structure(
            lambda actual, expected: self.assertTrue(expected.is_compatible_with(actual)),
            dataset.element_spec,
            batching.element_spec(),
        )


class PaddingFractionTest(absltest.TestCase):
    def test_fraction(self):
        batches = [{"y": np.array([[5, 0], [6, 2]])}, {"y": np.array([[3, 4, 0, 0]])}]
        self.assertEqual(batching.padding_fraction(batches), 3 / 8)
        self.assertEqual(batching.padding_fraction([]), 0.0)


if __name__ == "__main__":
    absltest.main()
