from absl.testing import absltest, parameterized

from tasks.commits import authors


class AuthorsTest(parameterized.TestCase):
    def test_a_client_keeps_its_name_for_good(self):
        # Were it to change, everyone's test authors would have been trained on.
        self.assertEqual(authors.client_name("ada@example.org"), "69507dfbc06ee6c1")

    def test_the_name_is_not_a_plain_hash_of_the_address(self):
        import hashlib

        plain = hashlib.sha256(b"ada@example.org").hexdigest()
        self.assertNotEqual(authors.client_name("ada@example.org"), plain[:16])

    @parameterized.parameters(
        ("29139614+renovate[bot]@users.noreply.github.com", "renovate[bot]"),
        ("x@y.org", "dependabot"),
        ("x@y.org", "Buildbot user"),
        ("jenkins@y.org", "J"),
        ("noreply@y.org", "GitHub"),
        ("root@host", "root"),
        ("x@y.org", "coreboot autoroller"),
    )
    def test_programs(self, email, name):
        self.assertTrue(authors.is_program(email, name))

    @parameterized.parameters(
        ("1234+ada@users.noreply.github.com", "Ada"),
        ("abbott@y.org", "A. Abbott"),
        ("cic@y.org", "Botond Travis Hudson"),
        ("j@y.org", "Jay Jenkins"),
    )
    def test_people(self, email, name):
        self.assertFalse(authors.is_program(email, name))


if __name__ == "__main__":
    absltest.main()
