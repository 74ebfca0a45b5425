import numpy as np
from absl.testing import absltest

from tasks.shuffling import BlockShuffle
from tasks.stream import BatchStream
from tests.tasks import fixtures

LENGTHS = {"a": [3, 1, 5], "b": [2, 2], "c": [4] * 6, "d": [1]}


class BatchStreamTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.clients = {
            name: [[100 * k + 10 * i + j for j in range(n)] for i, n in enumerate(lengths)]
            for k, (name, lengths) in enumerate(LENGTHS.items(), start=1)
        }
        self.path = fixtures.write_store(self.create_tempdir().full_path, self.clients)

    def stream(self, max_length=30):
        sizes = {name: len(lengths) for name, lengths in LENGTHS.items()}
        order = BlockShuffle(sizes, batch_size=4, block_size=6, seed=0)
        return BatchStream(self.path, "train", order, max_length), order.batches_of_pass(0)

    def test_a_pass_is_every_sentence_with_its_marks_and_padding(self):
        stream, count = self.stream()
        found = []
        for number in range(count):
            batch = stream.batch(number)
            self.assertEqual({each.dtype for each in batch.values()}, {np.dtype(np.int32)})
            for x, y in zip(batch["x"], batch["y"], strict=True):
                length = np.count_nonzero(y)
                np.testing.assert_array_equal(x[length:], 0)
                np.testing.assert_array_equal(y[length:], 0)
                self.assertEqual((x[0], y[length - 1]), (1, 2))
                np.testing.assert_array_equal(x[1:length], y[: length - 1])
                found.append(x[1:length].tolist())
            self.assertEqual(np.count_nonzero(batch["y"][:, -1]) > 0, True)
        self.assertCountEqual(found, [s for each in self.clients.values() for s in each])

    def test_a_long_sentence_is_cut_without_an_end(self):
        stream, count = self.stream(max_length=3)
        for number in range(count):
            for x, y in zip(*stream.batch(number).values(), strict=True):
                if np.count_nonzero(x) == 3 and y[2] != 2:
                    np.testing.assert_array_equal(x[1:], y[:2])
                    break
        widths = {stream.batch(number)["x"].shape[1] for number in range(count)}
        self.assertEqual(max(widths), 3)

    def test_a_batch_depends_on_its_number_and_not_on_what_was_read_before(self):
        one, count = self.stream()
        for number in range(count):
            one.batch(number)
        fresh, _ = self.stream()
        for name in "xy":
            np.testing.assert_array_equal(fresh.batch(2)[name], one.batch(2)[name])


if __name__ == "__main__":
    absltest.main()
