from absl.testing import absltest, parameterized

from tasks.commits import automatic
from tasks.commits.history import Commit


def _commit(message, parents=1, email="a@x.org", name="Ada"):
    return Commit(email, name, 0, parents, message)


class AutomaticTest(parameterized.TestCase):
    @parameterized.parameters(
        ("merge", "Merge branch 'jc/name' into next"),
        ("merge", "Merge git://git.denx.de/u-boot-fdt"),
        ("merge", 'Merge patch series "Enable it"'),
        ("merge", "Merged from upstream"),
        ("no_message", "*** empty log message ***"),
        ("no_message", "."),
        ("no_message", "\n"),
        ("release", "Git 2.39.5"),
        ("release", "v1.2.3-rc1"),
        ("release", "Prepare v2018.11"),
        ("release", "RELEASE-NOTES: synced"),
        ("release", "The sixteenth batch"),
        ("release", "Update copyright years."),
        ("release", "build(deps): bump actions/cache from 4 to 5"),
        ("import", "Initial revision"),
        ("import", "gitk: Update Bulgarian translation (311t)"),
        ("import", "Update arm-trusted-firmware submodule to upstream master"),
        ("import", "GHA: update dependency cloudflare/quiche to v0"),
        ("import", "configs: Resync with savedefconfig"),
    )
    def test_recognizes(self, rule, message):
        commit = _commit(message)
        found = next(name for name, holds in automatic.RULES.items() if holds(commit))
        self.assertEqual(found, rule)

    @parameterized.parameters(
        "merge: handle a conflict in the last line",
        "tls: support version 1.3 of the protocol",
        "openssl: return error if TLS 1.3 is requested when not supported",
        "Workaround issue cleaning up automounted snapshots on Linux",
        "libzutil: import: filter out unsuitable files earlier",
        "batch: read the file once",
        "Update the test so that it passes",
        "Enable Quad IO 1-4-4",
    )
    def test_leaves_what_people_write(self, message):
        commit = _commit(message)
        self.assertFalse([name for name, holds in automatic.RULES.items() if holds(commit)])

    def test_a_commit_with_two_parents_is_a_merge_whatever_it_says(self):
        self.assertTrue(automatic.is_merge(_commit("Join the two", parents=2)))
        self.assertFalse(automatic.is_merge(_commit("Join the two")))

    def test_the_author_counts(self):
        holds = automatic.RULES["program"]
        self.assertTrue(holds(_commit("Fix a typo in the manual", name="renovate[bot]")))
        self.assertFalse(holds(_commit("Fix a typo in the manual")))


if __name__ == "__main__":
    absltest.main()
