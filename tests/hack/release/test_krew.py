"""The archive for krew runs where nothing is installed, and its manifest is one that krew takes."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from hack.release import krew
from hack.release.krew import NAME, PROGRAM, KrewPlatform
from hack.release.version import version

HERE = KrewPlatform("linux", "amd64", "x86_64-manylinux_2_28")
THIS_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
MODIFIED = 1_764_000_000


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive for this machine, with wheels for this Python and the next."""
    file = tmp_path_factory.mktemp("krew") / HERE.file_name
    krew.package(file, HERE, MODIFIED, (THIS_PYTHON, "3.13"))
    return file


@pytest.fixture(scope="module")
def installed(packaged: Path) -> Path:
    """The program as krew installs it: the archive's folder in its store, and a link to it on the PATH."""
    store = packaged.parent / "store"
    shutil.unpack_archive(packaged, store, "gztar")
    (packaged.parent / "bin").mkdir()
    program = packaged.parent / "bin" / PROGRAM
    program.symlink_to(store / PROGRAM)
    return program


def bare_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """This machine's own interpreter, with the standard library alone."""
    command = (str(Path(sys.executable).resolve()), "-S", "-B", *arguments)
    return subprocess.run(command, env={}, capture_output=True, text=True, check=False)


def test_the_plugin_runs_with_what_is_in_its_folder_alone(installed: Path) -> None:
    assert bare_python(str(installed), "--version").stdout == f"{version()}\n"
    assert bare_python(str(installed), "explain", "ScaledToZero").stdout.startswith("ScaledToZero\n")


def test_every_command_finds_its_libraries(installed: Path) -> None:
    """Those that a command imports when it is called, too, of the operator's preflight."""
    folder = installed.resolve().parent
    paths = [str(folder / f"python{THIS_PYTHON}"), str(folder / "lib")]
    program = (
        f"import sys; sys.path[:0] = {paths}\n"
        "import importlib, kubectl_whisper, pkgutil, whisper_operator.cli.check\n"
        "for module in pkgutil.walk_packages(kubectl_whisper.__path__, 'kubectl_whisper.'):\n"
        "    if not module.name.endswith('__main__'): print(importlib.import_module(module.name).__name__)\n"
    )
    done = bare_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert {"kubectl_whisper.transcribe", "kubectl_whisper.upkeep.check"} <= set(done.stdout.split())


def test_a_python_for_which_it_has_no_libraries_is_told_which_it_has(installed: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(installed.resolve().parent, tmp_path / "bare", ignore=lambda *_: [f"python{THIS_PYTHON}"])
    done = bare_python(str(bare / PROGRAM), "status")
    assert done.returncode == 1
    assert "needs one of python3.13 as python3 on the PATH" in done.stderr


def test_what_is_alike_for_each_python_is_there_once(installed: Path) -> None:
    folder = installed.resolve().parent
    assert (folder / "lib/typer").is_dir()
    assert (folder / f"python{THIS_PYTHON}/pydantic_core").is_dir()
    assert not (folder / f"python{THIS_PYTHON}/typer").exists()
    assert sorted(path.name for path in (folder / "lib/whisper_runtime").iterdir()) == ["__init__.py", "contract"]


def test_nothing_in_the_archive_has_a_time_of_its_own(packaged: Path) -> None:
    with tarfile.open(packaged) as archive:
        entries = archive.getmembers()
    assert {entry.mtime for entry in entries} == {MODIFIED}
    names = [entry.name for entry in entries]
    assert names == sorted(names)
    assert not [name for name in names if name.endswith((".pyc", ".lock", "direct_url.json"))]


def test_krews_rules_hold(packaged: Path) -> None:
    """Those of its internal/index/validation/validate.go; tests/neighbours/test_krew.py has krew itself install it."""
    body = krew.manifest("1.2.3-rc.1", {HERE: packaged})
    spec = body["spec"]
    assert (body["apiVersion"], body["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert re.fullmatch(r"[\w-]+", body["metadata"]["name"])
    assert f"kubectl-{NAME}" == PROGRAM
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-[\w.]+)?", spec["version"])
    assert spec["shortDescription"]
    assert "\n" not in spec["shortDescription"]
    assert len(spec["shortDescription"]) <= 50
    (platform,) = spec["platforms"]
    assert platform["sha256"] == hashlib.sha256(packaged.read_bytes()).hexdigest()
    assert platform["bin"] == PROGRAM
    assert platform["selector"]["matchLabels"] == {"os": "linux", "arch": "amd64"}
    assert platform["uri"].endswith(f"/releases/download/v1.2.3-rc.1/{packaged.name}")


def test_each_platform_has_an_archive_of_its_own() -> None:
    assert len({platform.file_name for platform in krew.PLATFORMS}) == len(krew.PLATFORMS)
    assert {(one.os, one.arch) for one in krew.PLATFORMS} >= {("linux", "amd64"), ("darwin", "arm64")}
