"""What the runtime's image leaves out of its packages: no library that stays needs it, and neither does speech."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import httpx
import pytest

from testbed import runtime_process
from testbed.paths import REPOSITORY

REQUIREMENTS: Final = REPOSITORY / "hack/requirements"
PACKAGES: Final = Path(sysconfig.get_path("purelib"))
NEEDED: Final = re.compile(r"\(NEEDED\).*\[(.+)\]")
FIRST_IMPORTED_ON_A_GPU: Final = "import torch, torch.cuda, torch._meta_registrations, torch._prims.rng_prims, whisper"


def lines(name: str) -> list[str]:
    return [line for line in (REQUIREMENTS / name).read_text().splitlines() if line and not line.startswith("#")]


PATTERNS: Final = lines("runtime-unused.txt")
EXCLUDED: Final = [line.split(" ;")[0] for line in lines("runtime-excluded.txt")]


def files_of(package: str) -> set[Path]:
    return {PACKAGES / file for file in distribution(package).files or () if ".dist-info" not in file.parts[0]}


@pytest.fixture(scope="module")
def gone() -> set[Path]:
    """Files and folders."""
    found = {path for pattern in PATTERNS for path in PACKAGES.glob(pattern)}
    return found.union(*(files_of(package) for package in EXCLUDED))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_means_something(pattern: str) -> None:
    assert any(PACKAGES.glob(pattern))


def test_packages_that_are_left_out_are_not_installed_with_the_others() -> None:
    installed = [line for line in lines("runtime.txt") if "==" in line and "sys_platform == 'none'" not in line]
    assert not {line.split("==")[0] for line in installed} & set(EXCLUDED)


def test_no_library_that_stays_is_linked_with_one_that_goes(gone: set[Path]) -> None:
    libraries = {path for path in PACKAGES.rglob("*.so*") if path.is_file()}
    lost = {path for path in libraries if path in gone or gone.intersection(path.parents)}
    kept = sorted(libraries - lost)
    shown = subprocess.run(
        ("readelf", "--dynamic", *map(str, kept)), capture_output=True, text=True, check=False
    ).stdout
    needed = set(NEEDED.findall(shown))
    assert "libcudnn.so.9" in needed
    missing = {path.name for path in lost} - {path.name for path in kept}
    assert "libcusolver.so.12" in missing
    assert needed & missing == set()


@pytest.fixture(scope="module")
def python(gone: set[Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter of this environment's packages but for what is gone."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = folder / PACKAGES.relative_to(sys.prefix)
    packages.rmdir()
    without(PACKAGES, packages, gone, {parent for path in gone for parent in path.parents})
    return str(folder / "bin/python")


def without(source: Path, target: Path, gone: set[Path], holders: set[Path]) -> None:
    """Links to what is in `source`, but for what is gone; a folder with something gone in it becomes one of its own."""
    target.mkdir()
    for entry in source.iterdir():
        if entry in holders:
            without(entry, target / entry.name, gone, holders)
        elif entry not in gone:
            (target / entry.name).symlink_to(entry)


@pytest.mark.slow
def test_what_a_process_with_a_gpu_imports_is_there(python: str) -> None:
    done = subprocess.run((python, "-c", FIRST_IMPORTED_ON_A_GPU), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_speech_is_transcribed_with_the_times_of_words(python: str, recordings: Path, tmp_path: Path) -> None:
    with runtime_process.running(tmp_path, python=python) as runtime:
        answer = httpx.post(
            f"{runtime.url}/v1/audio/transcriptions",
            files={"file": (recordings / "jfk.wav").read_bytes()},
            data={"model": "whisper-1", "response_format": "verbose_json", "timestamp_granularities[]": "word"},
            timeout=120,
        ).raise_for_status()
        maps = Path(f"/proc/{runtime.process.pid}/maps").read_text()
    assert [word["word"] for word in answer.json()["words"]][:3] == ["And", "so", "my"]
    assert "libcusparse" in maps
    assert "libcusolver" not in maps  # torch loads it where it is there
