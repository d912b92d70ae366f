"""Recordings of people speaking, with the words that they say."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

from testbed.inputs import packages
from testbed.paths import CACHE

RECORDINGS: Final = CACHE / "recordings"
JFK: Final = ("nodejs-whisper@0.3.1", "package/cpp/whisper.cpp/bindings/go/samples/jfk.wav")
"""The inaugural address of 1961, public domain."""
JFK_WORDS: Final = (
    "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
)
JFK_SHA256: Final = "59dfb9a4acb36fe2a2affc14bacbee2920ff435cb13cc314a08c13f66ba7860e"
LIBRIVOX: Final = "pocketsphinx-testdata"
"""Debian's package of LibriVox recordings (public domain) and their transcripts."""


def ensure() -> Path:
    """The directory of recordings, filled where it is not; raises SystemExit on a wrong sha256."""
    if not (RECORDINGS / ".complete").exists():
        RECORDINGS.mkdir(parents=True, exist_ok=True)
        _jfk()
        _librivox()
        (RECORDINGS / ".complete").touch()
    return RECORDINGS


def _jfk() -> None:
    content = packages.from_npm(*JFK)
    digest = hashlib.sha256(content).hexdigest()
    if digest != JFK_SHA256:
        raise SystemExit(f"jfk.wav has sha256 {digest}, pinned is {JFK_SHA256}")
    (RECORDINGS / "jfk.wav").write_bytes(content)


def _librivox() -> None:
    """Each recording as a wav with its transcript beside it."""
    with tempfile.TemporaryDirectory() as unpacked:
        packages.from_debian(LIBRIVOX, Path(unpacked))
        shutil.copytree(
            Path(unpacked) / "usr/share/pocketsphinx/test/data/librivox", RECORDINGS / "librivox", dirs_exist_ok=True
        )
