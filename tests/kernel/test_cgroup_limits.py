from __future__ import annotations

import pytest

from tiffin.kernel.cgroup_limits import DeviceRule, Limits, v1_settings, v2_settings, weight

MIB = 1 << 20

ALL = Limits(
    memory=100 * MIB, memory_swap=150 * MIB, memory_reservation=50 * MIB, cpu_quota=50_000, cpu_period=100_000,
    cpu_shares=1024, cpuset_cpus="0-1", cpuset_mems="0", pids=100,
)


def test_no_limit_asked_for_writes_no_file() -> None:
    assert v1_settings(Limits()) == v2_settings(Limits()) == []


def test_v1_takes_the_numbers_as_they_are() -> None:
    assert {setting.file: setting.value for setting in v1_settings(ALL)} == {
        "memory.limit_in_bytes": str(100 * MIB),
        "memory.memsw.limit_in_bytes": str(150 * MIB),
        "memory.soft_limit_in_bytes": str(50 * MIB),
        "cpu.shares": "1024",
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "50000",
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "pids.max": "100",
    }


def test_v1_gets_the_limit_of_memory_before_that_of_memory_and_swap() -> None:
    files = [setting.file for setting in v1_settings(ALL)]
    assert files.index("memory.limit_in_bytes") < files.index("memory.memsw.limit_in_bytes")


def test_v2_counts_swap_alone_and_processor_time_as_a_weight() -> None:
    assert {setting.file: setting.value for setting in v2_settings(ALL)} == {
        "memory.max": str(100 * MIB),
        "memory.swap.max": str(50 * MIB),
        "memory.low": str(50 * MIB),
        "cpu.weight": "39",
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "pids.max": "100",
    }


def test_minus_one_takes_a_limit_away() -> None:
    limits = Limits(memory=-1, memory_swap=-1, cpu_quota=-1, pids=-1)
    assert [setting.value for setting in v2_settings(limits)] == ["max", "max", "max", "max"]
    assert [setting.value for setting in v1_settings(limits)] == ["-1", "-1", "-1", "max"]


def test_a_period_alone_leaves_the_quota_unlimited() -> None:
    assert [setting.value for setting in v2_settings(Limits(cpu_period=50_000))] == ["max 50000"]


@pytest.mark.parametrize(("shares", "expected"), [(0, 1), (2, 1), (1024, 39), (262144, 10000), (1 << 30, 10000)])
def test_shares_become_weights_as_runc_computes_them(shares: int, expected: int) -> None:
    assert weight(shares) == expected


@pytest.mark.parametrize("limits", [Limits(memory_swap=MIB), Limits(memory=-1, memory_swap=MIB), Limits(2 * MIB, MIB)])
def test_on_v2_memory_and_swap_together_need_a_smaller_limit_of_memory(limits: Limits) -> None:
    with pytest.raises(OSError, match="memory and swap together"):
        v2_settings(limits)


def test_a_device_rule_is_written_as_v1_reads_it() -> None:
    rules = [DeviceRule(False, "a", None, None, "rwm"), DeviceRule(True, "c", 136, None, "rw")]
    assert [str(rule) for rule in rules] == ["a *:* rwm", "c 136:* rw"]
