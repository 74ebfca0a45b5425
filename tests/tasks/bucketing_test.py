import itertools

import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import bucketing


def _cut(lengths: list[int], batch_size: int, extra: int) -> list[tuple[int, int]]:
    starts, ends = bucketing.least_padding_splits(tf.constant(lengths, tf.int64), batch_size, extra)
    return list(zip(starts.numpy().tolist(), ends.numpy().tolist(), strict=True))


def _positions(lengths: list[int], bounds: list[tuple[int, int]]) -> int:
    return sum((end - start) * lengths[end - 1] for start, end in bounds)


def _least_positions(lengths: list[int], batch_size: int, batches: int) -> int:
    """The least over all ways to cut, by trying them all."""
    costs = []
    for inner in itertools.combinations(range(1, len(lengths)), batches - 1):
        bounds = list(itertools.pairwise([0, *inner, len(lengths)]))
        if all(end - start <= batch_size for start, end in bounds):
            costs.append(_positions(lengths, bounds))
    return min(costs)


class LeastPaddingTest(parameterized.TestCase):
    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(st.integers(1, 30), min_size=1, max_size=10).map(sorted),
        st.integers(1, 5),
        st.integers(0, 2),
    )
    def test_no_way_to_cut_is_better(self, lengths, batch_size, extra):
        bounds = _cut(lengths, batch_size, extra)
        self.assertEqual([start for start, _ in bounds], [0, *[end for _, end in bounds[:-1]]])
        self.assertEqual(bounds[-1][1], len(lengths))
        sizes = [end - start for start, end in bounds]
        self.assertBetween(min(sizes), 1, batch_size)
        self.assertLessEqual(max(sizes), batch_size)
        fewest = -(-len(lengths) // batch_size)
        expected = min(fewest + extra, len(lengths)) if fewest > 1 else 1
        self.assertLen(bounds, expected)
        self.assertEqual(
            _positions(lengths, bounds), _least_positions(lengths, batch_size, expected)
        )

    def test_nothing_to_cut(self):
        self.assertEmpty(_cut([], 4, 1))

    def test_a_long_sentence_stands_alone(self):
        self.assertEqual(_cut([1, 1, 1, 1, 1, 9], 4, 0), [(0, 4), (4, 6)])
        self.assertEqual(_cut([1, 1, 1, 1, 9], 4, 0), [(0, 4), (4, 5)])


class EqualSplitsTest(parameterized.TestCase):
    @parameterized.parameters((0, []), (3, [(0, 3)]), (4, [(0, 4)]), (9, [(0, 4), (4, 8), (8, 9)]))
    def test_equal(self, count, expected):
        starts, ends = bucketing.equal_splits(tf.constant(count, tf.int64), 4)
        bounds = list(zip(starts.numpy().tolist(), ends.numpy().tolist(), strict=True))
        self.assertEqual(bounds, expected)


if __name__ == "__main__":
    absltest.main()
