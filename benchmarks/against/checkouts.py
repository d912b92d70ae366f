"""The two builds that are compared: this checkout, and an earlier commit in a folder of its own."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.paths import REPOSITORY


@dataclass(frozen=True)
class Builds:
    before: Path
    now: Path

    def in_turns(self, rounds: int) -> list[tuple[str, Path]]:
        """Both builds, `rounds` times, so that a machine that slows down slows both down."""
        return [("before", self.before), ("now", self.now)] * rounds


def now_is() -> str:
    """The commit of this checkout, as reports name it; with `-dirty` where files differ from it."""
    return subprocess.check_output(("git", "describe", "--always", "--dirty"), cwd=REPOSITORY, text=True).strip()


@contextmanager
def builds(commit: str) -> Generator[Builds]:
    """This checkout and the code of `commit`, which git's history holds; the latter is gone when the block ends."""
    archive = subprocess.run(
        ("git", "archive", commit, "operator", "runtime", "crds", "examples", "tests"),
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    ).stdout
    with tempfile.TemporaryDirectory(prefix="whisper-before-") as directory:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(directory, filter="data")
        yield Builds(Path(directory), REPOSITORY)
