import os
import pathlib
from unittest import mock

from absl.testing import absltest

from tff_lm.runtime import allocator


class AllocatorTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_glibc_keeps_freed_memory_and_takes_large_pages(self):
        variables = allocator.environment(5, [self.folder, self.folder / "missing"])
        self.assertEqual(variables["GLIBC_TUNABLES"], "glibc.malloc.hugetlb=1")
        self.assertEqual(variables["MALLOC_ARENA_MAX"], "2")
        self.assertNotIn("LD_PRELOAD", variables)

    def test_mimalloc_is_taken_where_it_is_installed(self):
        library = self.folder / "libmimalloc.so.2"
        library.touch()
        with mock.patch.dict(os.environ, {"LD_PRELOAD": "/users/own.so"}):
            variables = allocator.environment(2, [self.folder / "missing", self.folder])
        self.assertEqual(variables["LD_PRELOAD"], f"{library}:/users/own.so")


if __name__ == "__main__":
    absltest.main()
