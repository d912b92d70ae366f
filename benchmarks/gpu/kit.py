"""make gpu-kit: the folder that goes to the machine with the card: wheels, weights and recordings.

Everything that `python -m benchmarks.gpu` needs beside the checkout and what the machine has. faster-whisper is not
among it: CTranslate2's wheels are built for CUDA 12, whose libraries alone are ten times what one transfer may have.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from testbed.inputs import recordings, weights
from testbed.paths import CACHE, REPOSITORY

DEFAULT: Final = CACHE / "gpu-kit"
WHEELS, WEIGHTS, RECORDINGS = "wheels", "weights", "recordings"
EIGHT_BITS: Final = "tiny.en.8bit.pt"
TRANSFER_MIB: Final = 64
PACKAGES: Final = ("more-itertools", "pydantic", "pydantic-core", "annotated-types", "typing-inspection")
"""What the engine imports and the machine lacks, in the versions of hack/requirements."""
PURE: Final = "openai-whisper"
"""Published as source alone, and all of it Python: its wheel is built here."""
PLATFORM: Final = ("--only-binary=:all:", "--python-version", "3.12", "--platform", "manylinux_2_17_x86_64")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.kit", description=__doc__)
    parser.add_argument("--kit", type=Path, default=DEFAULT)
    parsed = parser.parse_args()
    fill(parsed.kit)
    kit, checkout = _mebibytes(_files(parsed.kit)), _mebibytes(_checkout())
    print(f"{parsed.kit}: {kit:.1f} MiB, the checkout {checkout:.1f} MiB")
    if kit + checkout > TRANSFER_MIB:
        raise SystemExit(f"both together are larger than one transfer, {TRANSFER_MIB} MiB")


def fill(kit: Path) -> None:
    """Make the folder anew."""
    shutil.rmtree(kit, ignore_errors=True)
    _wheels(kit / WHEELS)
    _weights(kit / WEIGHTS)
    shutil.copytree(recordings.ensure(), kit / RECORDINGS)


def _wheels(target: Path) -> None:
    target.mkdir(parents=True)
    pip = (sys.executable, "-m", "pip")
    pinned = [f"{name}=={version(name)}" for name in PACKAGES]
    subprocess.run((*pip, "download", "--quiet", "--no-deps", *PLATFORM, "--dest", str(target), *pinned), check=True)
    built = f"{PURE}=={version(PURE)}"
    subprocess.run((*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), built), check=True)


def _weights(target: Path) -> None:
    import torch

    from benchmarks.gpu import eight_bits

    target.mkdir(parents=True)
    weights.ensure()
    checkpoint = torch.load(weights.path("tiny.en"), weights_only=True)
    torch.save(eight_bits.packed(checkpoint), target / EIGHT_BITS)


def version(package: str) -> str:
    """As hack/requirements pins it; raises StopIteration for a package that is not there."""
    lines = (REPOSITORY / "hack" / "requirements" / "dev.txt").read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))


def _checkout() -> list[Path]:
    listed = subprocess.run(("git", "ls-files"), cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return [REPOSITORY / name for name in listed.splitlines()]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _mebibytes(files: list[Path]) -> float:
    return sum(file.stat().st_size for file in files if file.is_file()) / 1024**2


if __name__ == "__main__":
    main()
