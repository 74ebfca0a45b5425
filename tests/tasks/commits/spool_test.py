from absl.testing import absltest, parameterized

from tasks.commits.spool import Sentence, Spool, SpooledClients, shape


def _spool(*rows):
    """(client, text), or with time, part and source."""
    spool = Spool()
    spool.add(_sentence(*row) for row in rows)
    return spool


def _sentence(client, text, time=0, part=0, source=0):
    return Sentence(client, part, source, time, text)


class ShapeTest(parameterized.TestCase):
    @parameterized.parameters(
        ("Update foo to 1.2", "update foo to 1.3"),
        ("Enable it, now!", "enable it now"),
        ("drop a_b from x86", "drop c_d from arm64"),
        ("Don't do it", "don't do it."),
    )
    def test_near_duplicates(self, one, other):
        self.assertEqual(shape(one), shape(other))

    def test_other_words(self):
        self.assertNotEqual(shape("Enable the cache"), shape("Disable the cache"))


class SpoolTest(absltest.TestCase):
    def test_a_client_reads_in_the_order_of_time(self):
        spool = _spool(("a", "third", 3), ("b", "other", 1), ("a", "first", 1), ("a", "second", 1))
        self.assertEqual(spool.texts("a", None), ["first", "second", "third"])
        self.assertEqual(spool.texts("a", 2), ["first", "second"])
        self.assertEqual(spool.texts("c", None), [])

    def test_templates_of_an_author_stay_once(self):
        spool = _spool(
            ("a", "update the list to version 2", 2),
            ("a", "update the list to version 1", 1),
            ("b", "update the list to version 3", 3),
            ("a", "fix a typo", 1),
            ("a", "fix a typo", 2),
        )
        self.assertEqual(spool.drop_later("client, shape", 5), 1)
        self.assertEqual(
            spool.texts("a", None), ["update the list to version 1", "fix a typo", "fix a typo"]
        )
        self.assertEqual(spool.texts("b", None), ["update the list to version 3"])

    def test_copies_stay_with_whom_they_are_from_and_in_the_corpus(self):
        text = "this is what one of us wrote first of all"
        spool = _spool(("a", text, 2), ("b", text, 1), ("c", text, 0, 1))
        self.assertEqual(spool.drop_later("shape", 8), 2)
        self.assertEqual([spool.texts(name, None) for name in "abc"], [[], [text], []])

    def test_parts_have_their_own_clients_and_sources_their_totals(self):
        spool = _spool(
            ("a", "one two", 0, 0, 0),
            ("a", "three", 0, 0, 1),
            ("b", "four", 0, 0, 1),
            ("a", "x", 0, 1, 2),
        )
        self.assertEqual(spool.sizes(0), {"a": 2, "b": 1})
        self.assertEqual(spool.sizes(1), {"a": 1})
        self.assertEqual(spool.totals(), {0: (1, 1, 2), 1: (2, 2, 2), 2: (1, 1, 1)})
        self.assertEqual(spool.drop_clients(1, ["a", "b"]), 1)
        self.assertEqual(spool.sizes(1), {})
        self.assertEqual(spool.sizes(0), {"a": 2, "b": 1})

    def test_clients_are_read_each_time_they_are_iterated(self):
        clients = SpooledClients(_spool(("a", "one"), ("a", "two"), ("b", "three")), ["b", "a"], 1)
        self.assertLen(clients, 2)
        self.assertIn("a", clients)
        for _ in range(2):
            self.assertEqual(list(clients), [("b", ["three"]), ("a", ["one"])])


if __name__ == "__main__":
    absltest.main()
