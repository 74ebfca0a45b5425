from absl.testing import absltest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import TaskError
from tasks.shuffling import BlockShuffle

SIZES = {f"client{n}": n % 7 for n in range(40)}


def shuffle(sizes=SIZES, batch_size=4, block_size=20, seed=0):
    return BlockShuffle(sizes, batch_size=batch_size, block_size=block_size, seed=seed)


def sentences_of_pass(order, pass_index, start=0):
    """(client, sentence) in the order of training, and the number of the batch after the pass."""
    found, number = [], start
    for _ in range(order.batches_of_pass(pass_index)):
        place = order.place(number)
        assert place.pass_index == pass_index
        members = [
            (client, n)
            for client in order.blocks(pass_index)[place.block]
            for n in range(SIZES[client])
        ]
        found += [members[i] for i in order.sentences(place)]
        number += 1
    return found, number


class BlockShuffleTest(absltest.TestCase):
    def test_a_pass_holds_every_sentence_once_and_the_next_one_in_another_order(self):
        order = shuffle()
        first, number = sentences_of_pass(order, 0)
        second, _ = sentences_of_pass(order, 1, number)
        everything = sorted((c, n) for c, size in SIZES.items() for n in range(size))
        self.assertEqual(sorted(first), everything)
        self.assertEqual(sorted(second), everything)
        self.assertNotEqual(first, second)

    def test_a_batch_is_a_function_of_sizes_seed_and_number(self):
        reordered = dict(reversed(SIZES.items()))
        one, same, other = shuffle(), shuffle(reordered), shuffle(seed=1)
        place = one.place(13)
        self.assertEqual(same.place(13), place)
        self.assertEqual(one.blocks(0), same.blocks(0))
        self.assertSequenceEqual(one.sentences(place).tolist(), same.sentences(place).tolist())
        self.assertNotEqual(one.blocks(0), other.blocks(0))

    def test_a_batch_mixes_the_clients_of_a_block(self):
        order = shuffle({"a": 50, "b": 50}, batch_size=10, block_size=100)
        picked = order.sentences(order.place(0))
        self.assertGreater(sum(picked < 50), 0)
        self.assertGreater(sum(picked >= 50), 0)

    @given(
        st.lists(st.integers(0, 9), min_size=1).filter(any),
        st.integers(1, 8),
        st.integers(1, 30),
    )
    def test_batches_are_full_but_for_the_last_of_a_block(self, sizes, batch_size, block_size):
        named = {str(i): size for i, size in enumerate(sizes)}
        order = shuffle(named, batch_size, block_size)
        count = order.batches_of_pass(0)
        places = [order.place(number) for number in range(count + 1)]
        self.assertEqual((places[-1].pass_index, places[-1].block, places[-1].batch), (1, 0, 0))
        lengths = [len(order.sentences(place)) for place in places[:-1]]
        self.assertEqual(sum(lengths), sum(sizes))
        for place, after, length in zip(places[:-1], places[1:], lengths, strict=True):
            if place.block == after.block and place.pass_index == after.pass_index:
                self.assertEqual(length, batch_size)
            self.assertBetween(length, 1, batch_size)

    def test_no_text(self):
        with self.assertRaisesRegex(TaskError, "no sentence"):
            shuffle({"a": 0})


if __name__ == "__main__":
    absltest.main()
