"""What is available is the least of what the machine and its containers leave."""

import os

import pytest

from narrows import memory
from narrows.memory import available_memory

GB = 10**9


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Return a function that writes files of /proc and /sys below a root of their own."""
    monkeypatch.setattr(memory, "ROOT", tmp_path)

    def write(**files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(content))

    write(proc__meminfo=f"MemTotal: 99999999 kB\nMemAvailable: {8 * GB // 1024} kB\n")
    return write


def test_without_containers_the_machine_says(system):
    assert available_memory() == 8 * GB // 1024 * 1024


def test_a_container_of_version_2_is_seen(system):
    system(proc__self__cgroup="0::/\n", sys__fs__cgroup__memory_dot_max=3 * GB)
    assert available_memory() == 3 * GB
    system(
        sys__fs__cgroup__memory_dot_current=2 * GB,
        sys__fs__cgroup__memory_dot_stat=f"anon 5\ninactive_file {GB // 2}\n",
    )
    assert available_memory() == GB + GB // 2
    system(sys__fs__cgroup__memory_dot_high=2 * GB)
    assert available_memory() == GB // 2
    system(sys__fs__cgroup__memory_dot_max="max\n", sys__fs__cgroup__memory_dot_high="max\n")
    assert available_memory() > 7 * GB


def test_groups_above_count_and_paths_of_the_host_are_left_out(system):
    system(proc__self__cgroup="0::/user/job\n", sys__fs__cgroup__user__memory_dot_max=GB)
    assert available_memory() == GB
    system(sys__fs__cgroup__user__job__memory_dot_max=GB // 4)
    assert available_memory() == GB // 4
    system(proc__self__cgroup="0::/docker/of-the-host\n", sys__fs__cgroup__memory_dot_max=2 * GB)
    assert available_memory() == 2 * GB


def test_a_container_of_version_1_is_seen(system):
    system(
        proc__self__cgroup="5:cpu,cpuacct:/a\n4:memory:/a\n",
        sys__fs__cgroup__memory__a__memory_dot_limit_in_bytes=3 * GB,
        sys__fs__cgroup__memory__a__memory_dot_usage_in_bytes=GB,
    )
    assert available_memory() == 2 * GB
    system(sys__fs__cgroup__memory__a__memory_dot_limit_in_bytes=2**63 - 4096)  # no limit
    assert available_memory() > 7 * GB


def test_a_group_that_is_over_its_limit_leaves_nothing(system):
    system(proc__self__cgroup="0::/\n", sys__fs__cgroup__memory_dot_max=GB, sys__fs__cgroup__memory_dot_current=2 * GB)
    assert available_memory() == 0


def test_without_proc_the_whole_machine_counts_or_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "ROOT", tmp_path / "nothing")
    assert available_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.delattr(os, "sysconf")
    assert available_memory() is None
    memory.check_memory(2**80, "no guard")
