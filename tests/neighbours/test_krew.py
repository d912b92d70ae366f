"""krew itself installs `kubectl whisper` from what a release has for it, without the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hack.release import krew, parts
from hack.release.version import version
from testbed.cluster import binaries

HERE = krew.KrewPlatform("linux", "amd64", "x86_64-manylinux_2_28")
MODIFIED = 1_764_000_000


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    parts.plugin(folder, MODIFIED, [HERE], [f"{sys.version_info[0]}.{sys.version_info[1]}"])
    return folder


def install(manifest: Path, archive: Path, root: Path) -> subprocess.CompletedProcess[str]:
    program = str(binaries.ensure("krew") / "krew")
    command = (program, "install", f"--manifest={manifest}", f"--archive={archive}")
    environment = {"HOME": str(root), "KREW_ROOT": str(root), "PATH": os.environ["PATH"]}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_krew_installs_the_plugin_and_it_runs(release: Path, tmp_path: Path) -> None:
    done = install(release / "whisper.yaml", release / HERE.file_name, tmp_path)
    assert done.returncode == 0, done.stderr
    program = tmp_path / "bin" / krew.PROGRAM
    interpreter = str(Path(sys.executable).resolve())
    shown = subprocess.run((interpreter, "-S", str(program), "--version"), env={}, check=True, capture_output=True)
    assert shown.stdout.decode() == f"{version()}\n"


def test_krew_refuses_an_archive_that_somebody_changed(release: Path, tmp_path: Path) -> None:
    changed = tmp_path / HERE.file_name
    changed.write_bytes((release / HERE.file_name).read_bytes() + b"more")
    done = install(release / "whisper.yaml", changed, tmp_path / "root")
    assert done.returncode != 0
    assert "checksum does not match" in done.stderr


def test_krew_refuses_a_machine_for_which_there_is_no_archive(release: Path, tmp_path: Path) -> None:
    body = yaml.safe_load((release / "whisper.yaml").read_text())
    body["spec"]["platforms"][0]["selector"]["matchLabels"]["os"] = "windows"
    (tmp_path / "whisper.yaml").write_text(yaml.safe_dump(body))
    done = install(tmp_path / "whisper.yaml", release / HERE.file_name, tmp_path / "root")
    assert done.returncode != 0
    assert "does not offer installation for this platform" in done.stderr
