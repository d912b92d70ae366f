"""Which ffmpeg decodes here: another one may make other samples of the same file."""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from typing import Final

ASKED_SECONDS: Final = 30.0


@cache
def decoder_version() -> str:
    """A digest of ffmpeg's version, its configuration, and the versions of its libraries. Takes some 50 ms once.

    Raises OSError or subprocess.SubprocessError where there is no ffmpeg that works.
    """
    asked = subprocess.run(("ffmpeg", "-version"), capture_output=True, check=True, timeout=ASKED_SECONDS)
    return hashlib.sha256(asked.stdout).hexdigest()
