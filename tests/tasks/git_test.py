import dataclasses
import itertools
import os
import sys

from absl.testing import absltest

from tasks import git
from tasks.commits.authors import client_name
from tasks.corpus import CorpusOptions
from tasks.errors import TaskError
from tasks.options import TaskOptions
from tasks.report import describe
from tasks.task import make_task
from tests.tasks.commits import repositories
from tests.tasks.commits.repositories import Made


def _texts(reading, split=None):
    splits = [split] if split else [each for each in reading.clients if each != "unseen"]
    return dict(itertools.chain(*(reading.clients[each] for each in splits)))


class GitTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def make(self, name, *commits, **options):
        return repositories.make(os.path.join(self.folder, name), list(commits), **options)

    def people(self, name, first, count=6, text="this is what person number {} wrote", **options):
        """Some authors with a sentence each."""
        words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
        numbers = range(first, first + count)
        return self.make(
            name, *(Made(text.format(words[n]), f"{n}@x.org") for n in numbers), **options
        )

    def read(self, *paths, unseen=(), **options):
        found = CorpusOptions(path=",".join(paths), unseen=",".join(unseen) or None, **options)
        return git.CORPUS.read(found)

    def test_sentences_of_an_author_in_the_order_of_time(self):
        path = self.make(
            "one.git",
            Made("dm: Make sure of it\n\nThis one came later. So it's second.\n", time=9),
            Made("Write this at first", time=1),
            Made("Merge branch 'x'"),
            Made("Fix it\n\n$ run\n\nLook at https://x.org/y now.\n\nSigned-off-by: A", time=10),
        )
        reading = self.read(path)
        self.assertEqual(
            _texts(reading),
            {
                client_name("ada@example.org"): [
                    "write this at first",
                    "make sure of it",
                    "this one came later.",
                    "so it's second.",
                ]
            },
        )
        self.assertEqual(reading.facts["messages"], {"kept": 3, "merge": 1})
        self.assertEqual(reading.facts["lines"]["trailer"], 1)
        self.assertEqual(reading.facts["lines"]["command"], 1)
        self.assertEqual(reading.dropped["url"], 1)
        self.assertEqual(reading.dropped["few_words"], 1)
        source = next(counts for name, counts in reading.facts.items() if name.startswith("one@"))
        self.assertEqual(source, {"commits": 4, "authors": 1, "sentences": 4, "words": 15})

    def test_one_author_in_two_repositories_is_one_client(self):
        one = self.make("one.git", Made("Write in the first"))
        two = self.make("two.git", Made("Write in the second", "ADA@example.org"))
        texts = _texts(self.read(one, two))
        self.assertEqual(list(texts), [client_name("ada@example.org")])
        self.assertLen(texts.popitem()[1], 2)

    def test_limits(self):
        path = self.make("one.git", *(Made(f"Say {word} of it") for word in ("a", "b", "c")))
        self.assertLen(_texts(self.read(path, max_examples=2)).popitem()[1], 2)
        self.assertEqual(self.read(path, max_examples=2).dropped["beyond_max_examples"], 1)
        reading = self.read(path, min_examples=4)
        self.assertEqual(_texts(reading), {})
        self.assertEqual(reading.dropped["client_below_min_examples"], 3)
        _, cased = _texts(self.read(path, lower_case=False)).popitem()
        self.assertEqual(cased[0], "Say a of it")

    def test_the_order_of_repositories_and_their_place_do_not_matter(self):
        one, two = self.people("one.git", 0), self.people("two.git", 3)
        there, back = self.read(one, two), self.read(two, one)
        self.assertEqual(_texts(there), _texts(back))
        self.assertEqual(
            git.CORPUS.fingerprint(CorpusOptions(path=f"{one},{two}")),
            git.CORPUS.fingerprint(CorpusOptions(path=f"{two},{one},{two}")),
        )
        os.rename(one, f"{one}-moved")
        self.assertEqual(
            git.CORPUS.fingerprint(CorpusOptions(path=f"{one}-moved,{two}")),
            git.CORPUS.fingerprint(CorpusOptions(path=f"{two},{one}-moved")),
        )

    def test_fingerprint_is_of_the_commits_and_of_which_are_unseen(self):
        one, two = self.people("one.git", 0), self.people("two.git", 3)
        options = CorpusOptions(path=one)
        found = {
            git.CORPUS.fingerprint(each)
            for each in (
                options,
                CorpusOptions(path=two),
                CorpusOptions(path=f"{one},{two}"),
                dataclasses.replace(options, unseen=two),
            )
        }
        self.assertLen(found, 4)

    def test_unseen_authors_write_nowhere_else(self):
        known = self.people("known.git", 0)
        text = "somebody called {} says something else here"
        joined = "A <joined@x.org> <0@x.org>\nA <joined@x.org> <1@x.org>"
        unseen = self.people("unseen.git", 4, text=text, mailmap=joined)
        alone, both = self.read(known), self.read(known, unseen=[unseen])
        self.assertEqual(_texts(alone), _texts(both))
        self.assertEqual(
            set(_texts(both, "unseen")), {client_name(f"{n}@x.org") for n in (6, 7, 8, 9)}
        )
        self.assertEqual(both.facts["unseen"], {"known_authors_left_out": 2})
        self.assertEqual(both.dropped["unseen_but_known_author"], 2)

    def test_says_what_is_missing(self):
        with self.assertRaisesRegex(TaskError, "say which repositories, with task.path"):
            git.CORPUS.fingerprint(CorpusOptions())
        with self.assertRaisesRegex(TaskError, "there is no folder"):
            git.CORPUS.fingerprint(CorpusOptions(path=f"{self.people('one.git', 0)},/nowhere"))

    def test_prepares_a_task_with_a_split_more(self):
        options = TaskOptions(
            "git",
            path=self.people("known.git", 0),
            unseen=self.people("unseen.git", 5, count=5),
            cache_dir=self.create_tempdir().full_path,
            vocabulary_size=100,
        )
        task = make_task(options, progress=False)
        self.assertEqual(task.splits, ["train", "validation", "test", "unseen"])
        self.assertLen(task.client_ids("unseen"), 4)
        self.assertRegex(describe(task), r"\nunseen +4 +4 .*\n(.*\n)*messages: kept 11\n")
        without = make_task(dataclasses.replace(options, unseen=""), progress=False)
        self.assertNotEqual(without.folder, task.folder)
        self.assertEqual(without.splits, ["train", "validation", "test"])
        with self.assertRaisesRegex(TaskError, "unknown split 'unseen'"):
            without.client_ids("unseen")
        with self.assertRaisesRegex(TaskError, "task.unseen: task 'text' has no unseen part"):
            make_task(TaskOptions("text", unseen="x"), progress=False)

    def test_hides_no_other_module(self):
        self.assertEqual(git.__name__, "tasks.git")
        self.assertNotEqual(getattr(sys.modules.get("git"), "__file__", None), git.__file__)


if __name__ == "__main__":
    absltest.main()
