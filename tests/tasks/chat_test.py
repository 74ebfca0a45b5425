import itertools
import json
import os

from absl.testing import absltest, parameterized

from tasks import chat
from tasks.corpus import CorpusOptions
from tasks.errors import TaskError


class RulesTest(parameterized.TestCase):
    def test_template_sender(self):
        self.assertTrue(chat.is_from_template("ed35a50a-b6fe-4a82-9df3-606a9693adde"))
        self.assertFalse(chat.is_from_template("someone"))

    @parameterized.parameters(("", True), (" ?! ", True), ("ok", False), ("7", False))
    def test_no_word(self, text, expected):
        self.assertEqual(chat.has_no_word(text), expected)

    @parameterized.parameters(("a" * 25, False), ("so " + "a" * 26, True), ("a b " * 20, False))
    def test_overlong_word(self, text, expected):
        self.assertEqual(chat.has_overlong_word(text), expected)

    @parameterized.parameters(
        ("Ha ha HA", True), ("no no", True), ("no", False), ("ha ha hi", False)
    )
    def test_one_word_repeated(self, text, expected):
        self.assertEqual(chat.is_one_word_repeated(text), expected)

    @parameterized.parameters(
        ("write to a.b@example.org now", True),
        ("see https://example.org/x", True),
        ("WWW.example.org", True),
        ("hello@", False),
        ("dead @ the phone", False),
        ("D'awww.", False),
    )
    def test_address(self, text, expected):
        self.assertEqual(chat.has_address(text), expected)

    def test_repeated_message(self):
        repeats = chat.RepeatedMessages()
        self.assertFalse(repeats.is_repeat("a", "one two three four five"))
        self.assertTrue(repeats.is_repeat("a", "One  two three four FIVE"))
        self.assertFalse(repeats.is_repeat("b", "one two three four five"))
        self.assertFalse(repeats.is_repeat("a", "one two three four"))
        self.assertFalse(repeats.is_repeat("a", "one two three four"))


class CleanTest(absltest.TestCase):
    def test_counts_each_rule_and_keeps_the_order(self):
        pasted = "this is a pasted message"
        kept, dropped = chat.clean(
            [
                ("a", "hello you"),
                ("ed35a50a-b6fe-4a82-9df3-606a9693adde", "hello you"),
                ("a", pasted),
                ("b", "..."),
                ("a", pasted),
                ("a", "x" * 26),
                ("b", "ha ha"),
                ("b", "www.example.org"),
                ("a", "bye"),
            ]
        )
        self.assertEqual(kept, {"a": ["hello you", pasted, "bye"]})
        self.assertEqual(
            dropped,
            {
                "template_sender": 1,
                "no_word": 1,
                "overlong_word": 1,
                "one_word_repeated": 1,
                "address": 1,
                "repeated_message": 1,
            },
        )


class ReadTest(absltest.TestCase):
    def write(self, content: str) -> CorpusOptions:
        path = self.create_tempfile(content=content).full_path
        return CorpusOptions(path=path)

    def test_reads_conversations(self):
        messages = [
            [{"text": "Hi", "sender": "a"}, {"text": "you?", "sender": "a"}],
            [{"text": "Fine", "sender": "b"}],
        ]
        options = self.write(json.dumps({"1": {"messages": messages}}))
        reading = chat.CORPUS.read(options)
        clients = dict(itertools.chain(*reading.clients.values()))
        self.assertEqual(clients, {"a": ["hi", "you?"], "b": ["fine"]})

    def test_refuses_another_file(self):
        for content in ("nope", "[]", '{"1": {}}', '{"1": {"messages": [[{"text": "a"}]]}}'):
            with self.assertRaisesRegex(TaskError, "is not chitchat's dataset.json"):
                chat.CORPUS.read(self.write(content))

    def test_names_a_missing_file(self):
        with self.assertRaisesRegex(TaskError, "no file at /nowhere"):
            chat.CORPUS.fingerprint(CorpusOptions(path="/nowhere"))

    def test_fingerprint_is_of_the_contents(self):
        one, same, other = self.write("x"), self.write("x"), self.write("y")
        self.assertNotEqual(one.path, same.path)
        self.assertEqual(chat.CORPUS.fingerprint(one), chat.CORPUS.fingerprint(same))
        self.assertNotEqual(chat.CORPUS.fingerprint(one), chat.CORPUS.fingerprint(other))


class PackageTest(absltest.TestCase):
    def test_the_package_gives_the_known_people(self):
        options = CorpusOptions(min_examples=20, max_examples=1000)
        self.assertTrue(os.path.isfile(chat.dataset_path(options)))
        reading = chat.CORPUS.read(options)
        sizes = {split: len(clients) for split, clients in reading.clients.items()}
        self.assertEqual(sizes, {"train": 503, "validation": 68, "test": 56})
        lengths = [len(texts) for clients in reading.clients.values() for _, texts in clients]
        self.assertEqual((min(lengths), max(lengths)), (20, 1000))
        self.assertEqual(sum(lengths), 121_113)


if __name__ == "__main__":
    absltest.main()
