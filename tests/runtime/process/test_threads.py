"""So many threads compute as the container is granted processors, unless a user says otherwise."""

from __future__ import annotations

import pytest

from whisper_runtime.process.cgroup import CpuGrant
from whisper_runtime.process.threads import ThreadCount, openmp_variables, thread_count

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


def quota(processors: float, request: float | None = None) -> CpuGrant:
    return CpuGrant(processors, "/sys/fs/cgroup/cpu.max", request)


@pytest.mark.parametrize(
    ("environment", "machine", "allowed", "grant", "count", "reason"),
    [
        ({}, 16, 16, CpuGrant(), 16, "machine"),
        ({}, 16, 3, CpuGrant(), 3, "affinity"),
        (POD, 16, 16, quota(0.5), 1, "quota"),
        (POD, 16, 16, quota(1), 1, "quota"),
        (POD, 16, 16, quota(1.5), 2, "quota"),
        (POD, 16, 16, quota(12, request=0.25), 12, "quota"),
        (POD, 16, 16, quota(0.001), 1, "quota"),
        (POD, 16, 16, quota(32), 16, "machine"),
        (POD, 16, 2, quota(4), 2, "affinity"),
        (POD, 16, 2, quota(1), 1, "quota"),
        (POD, 2, 2, CpuGrant(request=0.25), 2, "machine"),
        (POD, 8, 8, CpuGrant(request=0.25), 8, "machine"),
        (POD, 64, 64, CpuGrant(request=0.25), 8, "request"),
        (POD, 64, 64, CpuGrant(request=11.2), 12, "request"),
        (POD, 64, 64, CpuGrant(request=80), 64, "machine"),
        (POD, 64, 6, CpuGrant(request=0.25), 6, "affinity"),
        ({}, 64, 64, CpuGrant(request=1), 64, "machine"),
        ({"OMP_NUM_THREADS": "6"}, 16, 16, quota(1), 6, "environment"),
        ({"OMP_NUM_THREADS": "6", "MKL_NUM_THREADS": "4"}, 16, 16, CpuGrant(), 4, "environment"),
        ({"OMP_NUM_THREADS": " 3,2 "}, 16, 16, CpuGrant(), 3, "environment"),
        ({"OMP_NUM_THREADS": "all"}, 16, 16, quota(2), 2, "quota"),
        ({"OMP_NUM_THREADS": "0"}, 16, 16, quota(2), 2, "quota"),
        ({"OMP_NUM_THREADS": ""}, 16, 16, CpuGrant(), 16, "machine"),
    ],
)
def test_the_number_of_threads_and_its_reason(
    environment: dict[str, str], machine: int, allowed: int, grant: CpuGrant, count: int, reason: str
) -> None:
    found = thread_count(environment, machine, allowed, grant)
    assert (found.count, found.reason) == (count, reason)


@pytest.mark.parametrize(
    ("environment", "grant", "why"),
    [
        (POD, quota(1.5), "the quota in /sys/fs/cgroup/cpu.max is 1.5 processors"),
        (POD, CpuGrant(request=0.25), "the container requests some 0.2 of 64 processors and has no limit"),
        ({"OMP_NUM_THREADS": "6"}, CpuGrant(), "OMP_NUM_THREADS is 6"),
        ({}, CpuGrant(), "the machine has that many processors"),
    ],
)
def test_the_log_can_say_why(environment: dict[str, str], grant: CpuGrant, why: str) -> None:
    assert thread_count(environment, 64, 64, grant).why == why


def test_threads_wait_asleep_and_are_counted_in_the_environment() -> None:
    assert openmp_variables({}, ThreadCount(2, "quota", "")) == {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "2"}


@pytest.mark.parametrize("users", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "1000"}])
def test_a_users_way_of_waiting_stays(users: dict[str, str]) -> None:
    assert openmp_variables(users, ThreadCount(2, "quota", "")) == {"OMP_NUM_THREADS": "2"}


@pytest.mark.parametrize("users", [{"OMP_NUM_THREADS": "4"}, {"MKL_NUM_THREADS": "4"}])
def test_a_users_number_stays(users: dict[str, str]) -> None:
    found = thread_count(users, 16, 16, quota(1))
    assert openmp_variables(users, found) == {"OMP_WAIT_POLICY": "PASSIVE"}
