"""The lock files of hack/requirements: which distribution in which version, and the hashes of its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hack.release.image_contents import normalized

ENTRY: Final = re.compile(r"^([\w.-]+)==([\w.!+]+)[^\n]*\n((?:    --hash=sha256:[0-9a-f]{64}[^\n]*\n)+)", re.MULTILINE)
HASH: Final = re.compile(r"[0-9a-f]{64}")


def hashes(lock: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """SHA-256 of each file that may be installed, by the distribution's normalised name and its version."""
    return {
        (normalized(name), version): tuple(HASH.findall(lines))
        for name, version, lines in ENTRY.findall(lock.read_text())
    }
