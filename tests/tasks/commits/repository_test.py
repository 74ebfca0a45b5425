import os
import pathlib
import subprocess
from unittest import mock

from absl.testing import absltest

from tasks.commits import repository
from tasks.errors import TaskError
from tests.tasks.commits import repositories
from tests.tasks.commits.repositories import Made


class FindTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def make(self, name="one.git", **options):
        path = os.path.join(self.folder, name)
        return repositories.make(path, [Made("First"), Made("Second")], **options)

    def test_a_bare_clone_and_a_working_copy(self):
        bare, normal = self.make(), self.make("two", bare=False)
        for path, name in ((bare, "one"), (normal, "two"), (f"{normal}/.git", "two")):
            found = repository.find(path)
            self.assertEqual(found.name, name)
            self.assertLen(found.head, 40)
            self.assertEqual(found.commits(), 2)

    def test_variables_and_settings_of_the_user_lead_nowhere_else(self):
        path = self.make(bare=False)
        with mock.patch.dict(os.environ, GIT_DIR="/nowhere", GIT_CEILING_DIRECTORIES="/"):
            self.assertEqual(repository.find(path).commits(), 2)

    def test_mailmap(self):
        self.assertEqual(repository.find(self.make()).mailmap(), "")
        found = repository.find(self.make("two.git", mailmap="A <a@x.org> <b@x.org>"))
        self.assertEqual(found.mailmap(), "A <a@x.org> <b@x.org>")

    def test_refuses_what_has_no_history(self):
        empty = repositories.make(os.path.join(self.folder, "empty.git"), [])
        plain = self.create_tempdir().full_path
        inside = os.path.join(self.make("working", bare=False), "inside")
        os.mkdir(inside)
        for path, message in (
            (empty, "the history of .* is empty"),
            (plain, "is no Git repository; give the folder of a clone"),
            (inside, "is no Git repository"),
            (f"{plain}/absent", "there is no folder"),
        ):
            with self.assertRaisesRegex(TaskError, f"^git: .*{message}") as caught:
                repository.find(path)
            self.assertNotIn("\n", str(caught.exception))

    def test_refuses_a_shallow_clone(self):
        path = os.path.join(self.folder, "shallow")
        source = pathlib.Path(self.make()).as_uri()
        clone = ["git", "clone", "--quiet", "--depth=1", source, path]
        subprocess.run(clone, check=True)
        with self.assertRaisesRegex(TaskError, "shallow clone.*fetch --unshallow"):
            repository.find(path)

    def test_refuses_without_git(self):
        path = self.make()
        with (
            mock.patch.dict(os.environ, PATH="/nowhere"),
            self.assertRaisesRegex(TaskError, "the program git is missing; install it"),
        ):
            repository.find(path)


if __name__ == "__main__":
    absltest.main()
