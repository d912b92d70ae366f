"""How many threads compute, and how they wait: by what the container is granted, not by what the node has.

torch computes in the threads of OpenMP, one for each processor of the node by itself, and each of them spins at the end
of a loop until the last one is there. On a node that others use, too, that one waits for its turn, and the others burn
the processors, and the quota, that it needs (libgomp's manual, OMP_WAIT_POLICY and GOMP_SPINCOUNT).

libgomp reads the environment when it is loaded, so `__main__` decides before anything imports torch.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from whisper_runtime.process.cgroup import CpuGrant, cpu_grant

BURST_THREADS: Final = 8
"""Threads of a pod that has no quota, however little it requests and however many processors the node has."""
COUNTS: Final = ("MKL_NUM_THREADS", "OMP_NUM_THREADS")
"""A user's number of threads; torch obeys the first of them that is set (ATen/ParallelOpenMP.cpp)."""
WAITING: Final = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""A user's way of waiting."""
PASSIVE: Final = {"OMP_WAIT_POLICY": "PASSIVE"}
IN_POD: Final = "KUBERNETES_SERVICE_HOST"
"""The kubelet sets it in every pod."""

CountReason = Literal["environment", "quota", "request", "affinity", "machine"]


@dataclass(frozen=True)
class ThreadCount:
    count: int
    """Threads that compute one thing together."""
    reason: CountReason
    why: str
    """The reason in words, for the log."""


def granted_threads(environment: Mapping[str, str]) -> ThreadCount:
    """The number of threads for this process, in this environment."""
    return thread_count(environment, os.cpu_count() or 1, len(os.sched_getaffinity(0)), cpu_grant())


def thread_count(environment: Mapping[str, str], machine: int, allowed: int, grant: CpuGrant) -> ThreadCount:
    """The number of threads on a machine of so many processors, of which the process may run on `allowed`.

    A variable of the user's comes first. A quota counts in whole processors: the threads of half a processor would
    wait for each other in every period. A request is what a pod gets when its node is busy, and no bound; but where
    a pod has no other, more threads than are of use to anybody who requests little only wait for each other's turns.
    """
    if count := _users_count(environment):
        return count
    if grant.quota is not None and (most := max(1, math.ceil(grant.quota))) < allowed:
        return ThreadCount(most, "quota", f"the quota in {grant.quota_file} is {grant.quota:g} processors")
    if grant.quota is None and IN_POD in environment and grant.request is not None:
        most = max(BURST_THREADS, math.ceil(grant.request))
        if most < allowed:
            asks = f"the container requests some {grant.request:.1f} of {allowed} processors and has no limit"
            return ThreadCount(most, "request", asks)
    if allowed < machine:
        return ThreadCount(allowed, "affinity", f"the process may run on no more of the {machine} processors")
    return ThreadCount(machine, "machine", "the machine has that many processors")


def _users_count(environment: Mapping[str, str]) -> ThreadCount | None:
    for name in COUNTS:
        first = environment.get(name, "").split(",")[0].strip()  # a list is by depth of nesting, and torch nests none
        if first.isdigit() and int(first):
            return ThreadCount(int(first), "environment", f"{name} is {environment[name]}")
    return None


def openmp_variables(environment: Mapping[str, str], threads: ThreadCount) -> dict[str, str]:
    """What to add to `environment` before torch is imported; a user's own variables stay as they are."""
    waiting = {} if any(environment.get(name) for name in WAITING) else PASSIVE
    counting = {} if threads.reason == "environment" else {"OMP_NUM_THREADS": str(threads.count)}
    return {**waiting, **counting}
