import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from tff_lm.runtime.processes import cores


class CoresTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.self_cgroup = self.root / "self"
        self.enter_context(mock.patch.object(cores, "_CGROUP_ROOT", self.root))
        self.enter_context(mock.patch.object(cores, "_SELF_CGROUP", self.self_cgroup))
        self.enter_context(mock.patch.object(os, "sched_getaffinity", return_value=set(range(8))))

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def test_affinity_alone(self):
        self.assertEqual(cores.available_cores(), 8)

    @parameterized.parameters(
        ("300000 100000", 3), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 8)
    )
    def test_quota_of_version_2(self, cpu_max, expected):
        self.self_cgroup.write_text("0::/run/job\n")
        self.write("run/job/cpu.max", cpu_max)
        self.assertEqual(cores.available_cores(), expected)

    def test_quota_of_a_parent_group_counts(self):
        self.self_cgroup.write_text("0::/run/job\n")
        self.write("run/cpu.max", "200000 100000")
        self.write("run/job/cpu.max", "max 100000")
        self.assertEqual(cores.available_cores(), 2)

    def test_path_of_the_host_seen_in_a_container(self):
        self.self_cgroup.write_text("0::/machine/not/visible/here\n")
        self.write("cpu.max", "200000 100000")
        self.assertEqual(cores.available_cores(), 2)

    @parameterized.parameters(("200000", 2), ("-1", 8))
    def test_quota_of_version_1(self, quota, expected):
        self.self_cgroup.write_text("5:memory:/\n4:cpu,cpuacct:/job\n")
        self.write("cpu,cpuacct/job/cpu.cfs_quota_us", quota)
        self.write("cpu,cpuacct/job/cpu.cfs_period_us", "100000")
        self.assertEqual(cores.available_cores(), expected)


if __name__ == "__main__":
    absltest.main()
