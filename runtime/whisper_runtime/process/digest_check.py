"""Reads the checkpoint's digest in the background, and compares it with the one that the file's name promises.

A disk, or another pod that has the claim, may have changed the file since it was fetched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.fetch.source_folder import checkpoint_sha256


class WrongFile(Exception):
    """The file that is served is not the promised one, or cannot be read any more; the message says the remedy."""


def check_digest(
    path: Path, promised: str | None, on_right: Callable[[str], None], on_wrong: Callable[[WrongFile], None]
) -> threading.Thread:
    """Starts a thread that calls one of the two once the file at `path` is read: it has the promised sha256, or not.

    `promised`: None where any file is right; `on_right` gets the sha256. hashlib computes without Python's lock:
    requests are served meanwhile.
    """

    def check() -> None:
        try:
            found = checkpoint_sha256(path)
        except OSError as error:
            return on_wrong(WrongFile(f"{path} cannot be read any more ({error.strerror}): look after its volume"))
        except NotLoadable as problem:
            return on_wrong(WrongFile(f"{path} was changed ({problem}): look after its volume"))
        if promised in (None, found):
            return on_right(found)
        message = f"{path} has sha256 {found} instead of {promised}: delete the file, so that it is fetched again"
        on_wrong(WrongFile(message))

    thread = threading.Thread(target=check, name="digest", daemon=True)
    thread.start()
    return thread
