import collections
import itertools

from absl.testing import absltest, parameterized

from tasks.corpus import CorpusOptions, read_in_memory, sample_clients
from tasks.splitting import SPLITS, split_all, split_of

_CLIENTS = [f"client-{number}" for number in range(2000)]


class SplittingTest(parameterized.TestCase):
    def test_known_clients_stay_where_they_are_for_good(self):
        # Were these to change, everyone's test users would have been trained on.
        splits = [split_of(client, 0) for client in ("a", "b", "c", "h", "s", "t")]
        self.assertEqual(splits, ["validation", "train", "train", "test", "validation", "test"])

    def test_shares(self):
        counts = collections.Counter(split_of(client, 0) for client in _CLIENTS)
        self.assertBetween(counts["train"], 1520, 1680)
        self.assertBetween(counts["validation"], 140, 260)
        self.assertBetween(counts["test"], 140, 260)

    def test_seed_changes_the_split(self):
        moved = sum(split_of(client, 0) != split_of(client, 1) for client in _CLIENTS)
        self.assertBetween(moved, 400, 1000)

    def test_disjoint_and_unmoved_by_others(self):
        options = CorpusOptions()
        few = read_in_memory({client: ["hello"] for client in _CLIENTS[:500]}, options).clients
        many = read_in_memory({client: ["hello"] for client in _CLIENTS}, options).clients
        members = {split: {client for client, _ in many[split]} for split in SPLITS}
        self.assertLen(set.union(*members.values()), sum(map(len, members.values())))
        for split in SPLITS:
            self.assertContainsSubset({client for client, _ in few[split]}, members[split])

    @parameterized.product(count=(3, 4, 7, 10, 20, 29, 30, 31, 60), start=(0, 100, 200, 300))
    def test_no_part_of_a_small_corpus_is_empty(self, count, start):
        clients = _CLIENTS[start : start + count]
        split = split_all(clients, 0)
        self.assertCountEqual(itertools.chain(*split.values()), clients)
        least = 3 if count >= 30 else 1
        for part in SPLITS:
            self.assertGreaterEqual(len(split[part]), least)
        # In whatever order they come, and only to fill up.
        self.assertEqual(
            {p: sorted(c) for p, c in split.items()},
            {p: sorted(c) for p, c in split_all(clients[::-1], 0).items()},
        )
        moved = sum(split_of(client, 0) != part for part in SPLITS for client in split[part])
        counts = collections.Counter(split_of(client, 0) for client in clients)
        self.assertEqual(moved, sum(max(0, least - counts[part]) for part in SPLITS))

    def test_fewer_people_than_parts(self):
        self.assertEqual(sorted(map(len, split_all(["a", "b"], 0).values())), [0, 1, 1])
        self.assertEqual(split_all([], 0), {part: [] for part in SPLITS})

    def test_minimum_counts_normalized_sentences_and_cap_keeps_the_first(self):
        options = CorpusOptions(min_examples=2, max_examples=2)
        reading = read_in_memory(
            {"a": ["One", " ", "two", "three"], "b": ["one", "\u200b"]}, options
        )
        clients = list(itertools.chain(*reading.clients.values()))
        self.assertEqual(clients, [("a", ["one", "two"])])
        expected = {
            "nothing_left_when_normalized": 2,
            "client_below_min_examples": 1,
            "beyond_max_examples": 1,
        }
        self.assertEqual(reading.dropped, expected)

    def test_a_larger_sample_contains_a_smaller_one(self):
        small = sample_clients(_CLIENTS, CorpusOptions(max_clients=50))
        large = sample_clients(_CLIENTS, CorpusOptions(max_clients=60))
        self.assertLen(small, 50)
        self.assertContainsSubset(small, large)


if __name__ == "__main__":
    absltest.main()
