"""The quota and the request of a container are found where it sees its cgroups, in both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from whisper_runtime.process.cgroup import CpuGrant, cpu_folders, cpu_grant, grant_in

V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw,nsdelegate"
V1_OWN = "36 31 0:33 /kubepods/pod7/c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct"
V1_WHOLE = "36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"
V1_SET = "37 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset"
UNIFIED = "38 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"


@pytest.mark.parametrize(
    ("cgroups", "mounts", "folders"),
    [
        pytest.param("0::/", [V2], ["/sys/fs/cgroup"], id="version 2, in a namespace of its own"),
        pytest.param(
            "0::/kubepods/pod7/c1",
            [V2],
            [f"/sys/fs/cgroup{path}" for path in ("/kubepods/pod7/c1", "/kubepods/pod7", "/kubepods", "")],
            id="version 2, in the node's namespace",
        ),
        pytest.param("0::/../c2", [V2], ["/sys/fs/cgroup"], id="version 2, moved out of its namespace"),
        pytest.param(
            "4:memory:/kubepods/pod7/c1\n3:cpu,cpuacct:/kubepods/pod7/c1\n0::/",
            [V1_SET, V1_OWN],
            ["/sys/fs/cgroup/cpu,cpuacct"],
            id="version 1, where a container is shown its own",
        ),
        pytest.param(
            "3:cpuset:/\n1:cpu:/a\n0::/",
            [V1_SET, UNIFIED, V1_WHOLE],
            ["/sys/fs/cgroup/cpu/a", "/sys/fs/cgroup/cpu"],
            id="both versions, of which version 1 has the processors",
        ),
        pytest.param(
            "0::/a", [r"31 23 0:28 / /sys/my\040groups rw - cgroup2 cgroup rw"], ["/sys/my groups/a", "/sys/my groups"]
        ),
        pytest.param("0::/a", ["36 31 0:33 /ab /sys/fs/cgroup rw - cgroup2 cgroup rw"], ["/sys/fs/cgroup"]),
        pytest.param("0::/", [], [], id="nothing is mounted"),
        pytest.param("", ["", "nonsense"], [], id="nothing is said"),
    ],
)
def test_the_folders_of_a_process(cgroups: str, mounts: list[str], folders: list[str]) -> None:
    assert cpu_folders(cgroups, "\n".join(mounts)) == tuple(map(Path, folders))


@pytest.mark.parametrize(
    ("files", "grant"),
    [
        ({"c/cpu.max": "50000 100000\n", "c/cpu.weight": "1\n"}, CpuGrant(0.5, "c/cpu.max", 2 / 1024)),
        ({"c/cpu.max": "max 100000\n", "c/cpu.weight": "10000"}, CpuGrant(request=256)),
        ({"c/cpu.max": "400000 100000", "cpu.max": "150000 100000"}, CpuGrant(1.5, "cpu.max")),
        ({"c/cpu.max": "max 100000", "cpu.max": "20000 10000"}, CpuGrant(2, "cpu.max")),
        (
            {"c/cpu.cfs_quota_us": "250000\n", "c/cpu.cfs_period_us": "100000\n", "c/cpu.shares": "512\n"},
            CpuGrant(2.5, "c/cpu.cfs_quota_us", 0.5),
        ),
        ({"c/cpu.cfs_quota_us": "-1", "c/cpu.cfs_period_us": "100000", "c/cpu.shares": "4096"}, CpuGrant(request=4)),
        ({"c/cpu.max": "50000", "c/cpu.weight": "many"}, CpuGrant()),
        ({"c/cpu.max": "50000 0"}, CpuGrant()),
        ({}, CpuGrant()),
    ],
)
def test_the_grant_by_the_files_of_its_folders(files: dict[str, str], grant: CpuGrant) -> None:
    assert grant_in((Path("c"), Path()), lambda path: files.get(str(path))) == grant


def test_without_folders_nothing_is_granted_or_bounded() -> None:
    assert grant_in((), lambda _: "1") == CpuGrant()


def test_the_files_of_this_process_can_be_read() -> None:
    grant = cpu_grant()
    assert grant.quota is None or grant.quota > 0
