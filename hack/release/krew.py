"""`kubectl whisper` for krew: an archive for each platform that needs nothing but a Python, and the manifest of all.

An archive is a folder: the launcher, `lib` with what each version of Python can import, and `pythonX.Y` with the rest,
which is compiled. See docs/adr/0095-a-plugin-that-brings-its-libraries.md.
"""

from __future__ import annotations

import filecmp
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hack.release import archive
from hack.release.archive import ArchivedFile
from testbed.paths import CACHE, REPOSITORY

NAME: Final = "whisper"
PROGRAM: Final = f"kubectl-{NAME}"
HOME: Final = "https://github.com/whisper-operator/whisper-operator"
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
LOCK: Final = REPOSITORY / "hack/requirements/kubectl.txt"
PACKAGES: Final = {
    "kubectl_whisper": REPOSITORY / "plugin",
    "whisper_operator": REPOSITORY / "operator",
    "whisper_runtime": REPOSITORY / "runtime",
}
"""Folder of each package that the plugin imports from: of the runtime it imports the contract alone."""


@dataclass(frozen=True)
class KrewPlatform:
    os: str
    """As Go names it, and krew's selector with it."""
    arch: str
    wheels: str
    """uv's name of it, which says which wheels run there."""

    @property
    def file_name(self) -> str:
        return f"{PROGRAM}-{self.os}-{self.arch}.tar.gz"


PLATFORMS: Final = (
    KrewPlatform("linux", "amd64", "x86_64-manylinux_2_28"),
    KrewPlatform("linux", "arm64", "aarch64-manylinux_2_28"),
    KrewPlatform("darwin", "amd64", "x86_64-apple-darwin"),
    KrewPlatform("darwin", "arm64", "aarch64-apple-darwin"),
)


def package(target: Path, platform: KrewPlatform, modified: int, pythons: Sequence[str] = PYTHONS) -> None:
    """Writes the archive of `platform`, for `pythons`, as of the time `modified`; fetches wheels by the lock."""
    with tempfile.TemporaryDirectory() as directory:
        folders = {version: Path(directory) / f"python{version}" for version in pythons}
        for version, folder in folders.items():
            _install(folder, platform.wheels, version)
        files = _launcher() | _own() | _shared_once(folders)
    archive.write_tgz(target, files, modified)


def manifest(version: str, archives: Mapping[KrewPlatform, Path]) -> dict[str, Any]:
    """https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/, for the published `archives`."""
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": NAME},
        "spec": {
            "version": f"v{version}",
            "homepage": HOME,
            "shortDescription": "Look at WhisperServices, and transcribe",
            "description": (
                "Shows how speech-to-text services of whisper-operator are, and why\n"
                "one is not well; transcribes a recording through the API server.\n"
            ),
            "caveats": f"It needs Python {PYTHONS[0]} to {PYTHONS[-1]}, as python3 on the PATH.\n",
            "platforms": [
                {
                    "selector": {"matchLabels": {"os": platform.os, "arch": platform.arch}},
                    "uri": f"{HOME}/releases/download/v{version}/{file.name}",
                    "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                    "bin": PROGRAM,
                }
                for platform, file in archives.items()
            ],
        },
    }


def _install(folder: Path, wheels: str, python: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        (
            str(uv), "pip", "install", "--quiet", "--cache-dir", str(CACHE / "uv"), "--no-build", "--require-hashes",
            "--python-platform", wheels, "--python-version", python, "--target", str(folder), "-r", str(LOCK),
        ),
        check=True,
    )  # fmt: skip
    (folder / ".lock").unlink(missing_ok=True)


def _launcher() -> dict[str, ArchivedFile]:
    text = (Path(__file__).parent / "launcher.py").read_bytes()
    licence = (REPOSITORY / "LICENSE").read_bytes()
    return {PROGRAM: ArchivedFile(text, is_executable=True), "LICENSE": ArchivedFile(licence)}


def _own() -> dict[str, ArchivedFile]:
    return {
        f"lib/{name}/{path}": file
        for name, folder in PACKAGES.items()
        for path, file in archive.tree(folder / name).items()
        if not path.endswith(".pyc") and (name != "whisper_runtime" or path.startswith(("contract/", "__init__")))
    }


def _shared_once(folders: Mapping[str, Path]) -> dict[str, ArchivedFile]:
    """What all `folders` have alike goes to lib; the rest stays in a folder for each version."""
    names = {entry.name for folder in folders.values() for entry in folder.iterdir()} - {"bin"}
    first, *others = folders.values()
    # Of one version alone all is alike; but by its folder the launcher knows that it serves.
    shared = {name for name in names if others and all(_is_same(first / name, other / name) for other in others)}
    files = {f"lib/{path}": file for path, file in _below(first, shared)}
    for version, folder in folders.items():
        files |= {f"python{version}/{path}": file for path, file in _below(folder, names - shared)}
    return files


def _below(folder: Path, names: Iterable[str]) -> Iterable[tuple[str, ArchivedFile]]:
    for name in names:
        if (entry := folder / name).is_dir():
            yield from ((f"{name}/{path}", file) for path, file in archive.tree(entry).items())
        elif entry.exists():
            yield name, ArchivedFile(entry.read_bytes())


def _is_same(one: Path, other: Path) -> bool:
    if one.is_dir() and other.is_dir():
        below = {path.relative_to(folder) for folder in (one, other) for path in folder.rglob("*") if path.is_file()}
        return all(_is_same(one / path, other / path) for path in below)
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
