from absl.testing import absltest

from tff_lm.runtime.processes import allocator


class AllocatorTest(absltest.TestCase):
    def test_glibc_keeps_freed_memory_and_takes_large_pages(self):
        variables = allocator.environment(5)
        self.assertEqual(variables["GLIBC_TUNABLES"], "glibc.malloc.hugetlb=1")
        self.assertEqual(variables["MALLOC_ARENA_MAX"], "2")

    def test_a_users_own_allocator_stays(self):
        self.assertNotIn("LD_PRELOAD", allocator.environment(2))


if __name__ == "__main__":
    absltest.main()
