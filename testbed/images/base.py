"""The image that both are built on: the public one, or where no registry answers, Debian made of its packages."""

from __future__ import annotations

import subprocess
from typing import Final

from testbed.cluster.release import is_reachable
from testbed.images import buildah

PUBLIC: Final = "docker.io/library/python:3.11-slim-bookworm"
STAND_IN: Final = "localhost/whisper-base:bookworm-1"
PACKAGES: Final = "python3,python3-venv,ca-certificates"


def ensure() -> str:
    """Reference of the base image, made where it is missing."""
    for known in (STAND_IN, PUBLIC):
        if buildah.exists(known):
            return known
    if is_reachable("registry-1.docker.io", 443):
        buildah.pull(PUBLIC)
        return PUBLIC
    archive = buildah.IMAGES / "base.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(archive)), check=True)
    buildah.from_archive(STAND_IN, str(archive))
    archive.unlink()
    return STAND_IN
