import os
import pathlib
from unittest import mock

from absl.testing import absltest

from tasks.commits import history, repository
from tasks.errors import TaskError
from tests.tasks.commits import repositories
from tests.tasks.commits.repositories import Made


class HistoryTest(absltest.TestCase):
    def make(self, *commits, **options):
        path = os.path.join(self.create_tempdir().full_path, "one.git")
        return repository.find(repositories.make(path, list(commits), **options))

    def read(self, *sources):
        return [list(history.read(source, sources)) for source in sources]

    def test_oldest_first_with_every_field(self):
        (found,) = self.read(
            self.make(Made("One\n\nBody ü\n", "Ada@Example.org"), Made("Two", name="B", time=7))
        )
        self.assertEqual([each.message for each in found], ["One\n\nBody ü\n", "Two"])
        self.assertEqual([each.email for each in found], ["ada@example.org"] * 2)
        self.assertEqual([each.name for each in found], ["Ada", "B"])
        self.assertEqual([each.time for each in found], [1_000_000_000, 7])
        self.assertEqual([each.parents for each in found], [0, 1])

    def test_a_merge_has_two_parents(self):
        (found,) = self.read(self.make(Made("One"), Made("Two"), Made("Three", merges=1)))
        self.assertEqual([each.parents for each in found], [0, 1, 2])

    def test_one_author_under_one_address_in_all_repositories(self):
        one = self.make(Made("One", "old@x.org"), mailmap="Ada L <new@x.org> <old@x.org>")
        two = self.make(Made("Two", "OLD@x.org"))
        (first,), (second,) = self.read(one, two)
        self.assertEqual((first.email, first.name), ("new@x.org", "Ada L"))
        self.assertEqual(second.email, "new@x.org")

    def test_a_repositorys_own_mailmap_has_the_last_word(self):
        one = self.make(Made("One", "old@x.org"), mailmap="Ada <one@x.org> <old@x.org>")
        two = self.make(Made("Two", "old@x.org"), mailmap="Ada <two@x.org> <old@x.org>")
        self.assertEqual(
            [found.email for (found,) in self.read(one, two)], ["one@x.org", "two@x.org"]
        )

    def test_blocks_of_output_may_end_anywhere(self):
        source = self.make(*(Made(f"Message {number} ü") for number in range(20)))
        (whole,) = self.read(source)
        with mock.patch.object(history, "_CHUNK", 7):
            self.assertEqual(self.read(source), [whole])

    def test_a_broken_repository_is_an_error_in_gits_words(self):
        source = self.make(Made("One"), Made("Two"))
        oldest = source.ask("rev-list", "--max-parents=0", source.head)
        pathlib.Path(source.git_dir, "objects", oldest[:2], oldest[2:]).unlink()
        with self.assertRaisesRegex(TaskError, "^git: cannot read .*: fatal: "):
            list(history.read(source, []))


if __name__ == "__main__":
    absltest.main()
