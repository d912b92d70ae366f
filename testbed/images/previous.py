"""python3 -m testbed.images.previous: the release before this one, from the repository's own history.

Its operator and its chart, which an upgrade starts from. Its runtime is not built: pods keep the image that they have.
"""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from testbed import debian
from testbed.images import base, buildah
from testbed.images.load import load
from testbed.images.recipe import OPERATOR
from testbed.locks import locked
from testbed.paths import CACHE, REPOSITORY

COMMIT: Final = "f0d62397ff3df5c6c33608e2e7e0b33abf3f2654"
"""The first release, 0.1.0."""
NEEDED: Final = ("charts", OPERATOR.dockerfile, "hack/requirements", "operator", "runtime")
"""Files that are read of the commit; its files are not where this checkout's recipe has them."""


@dataclass(frozen=True)
class PreviousRelease:
    chart: Path
    operator_image: str


def ensure() -> PreviousRelease:
    """The release's chart, and its operator's image in the cluster; built where it is missing."""
    debian.ensure(buildah.BUILDERS)
    tree = checked_out()
    with locked(CACHE / "images.lock"):
        standing_on = base.ensure()
        image = OPERATOR.reference(standing_on, tree)
        if not buildah.exists(image):
            buildah.build(image, OPERATOR.dockerfile, standing_on, context=tree)
            buildah.push(image)
        load(image)
    return PreviousRelease(tree / "charts/whisper-operator", image)


def checked_out() -> Path:
    """A directory with the release's chart, and with what its operator's image is built from."""
    tree = CACHE / "releases" / COMMIT[:12]
    with locked(CACHE / "images.lock"):
        if not tree.exists():
            _check_out(tree)
    return tree


def _check_out(tree: Path) -> None:
    """Extracts the needed files of the commit, without touching the working tree."""
    archive = subprocess.run(
        ("git", "archive", COMMIT, "--", *NEEDED), cwd=REPOSITORY, capture_output=True, check=False
    )
    if archive.returncode:
        raise SystemExit(
            f"commit {COMMIT[:12]}, the previous release, is not in this clone: `git fetch --unshallow`, then again\n"
            f"{archive.stderr.decode()}"
        )
    partial = tree.with_suffix(".partial")
    partial.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(partial, filter="data")
    partial.rename(tree)


if __name__ == "__main__":
    print(ensure().operator_image)
