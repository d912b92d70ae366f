"""python -m hack.release --key KEY [--out FOLDER]: everything of a release but the push."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from hack.release import packaged_chart, parts, signing
from hack.release.changelog import MalformedChangelog
from hack.release.image_contents import NoSuchImage
from hack.release.sbom import NotOfTheLock
from hack.release.signing import UnusableKey
from hack.release.version import version
from testbed.images import base, buildah
from testbed.images.recipe import RECIPES
from testbed.paths import REPOSITORY


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hack.release", description=__doc__)
    parser.add_argument("--key", type=Path, required=True, help="private key on P-256 in PEM, which signs")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist/release", help="folder; it is made anew")
    parsed = parser.parse_args()
    if changed := _git("status", "--porcelain"):
        raise SystemExit(f"the checkout differs from its commit; commit or undo it:\n{changed}")
    try:
        make(parsed.out, parsed.key)
    except (MalformedChangelog, NoSuchImage, NotOfTheLock, UnusableKey) as error:
        raise SystemExit(str(error)) from None
    for file in sorted(parsed.out.iterdir()):
        print(f"{file.stat().st_size:>12,}  {file}")


def make(folder: Path, key: Path) -> None:
    """Fills `folder`; what is written has the time of the commit, so that it can be made again."""
    signing.check(key)
    subprocess.run((sys.executable, "-m", "testbed.images"), cwd=REPOSITORY, check=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    modified = int(_git("log", "-1", "--format=%ct"))
    standing_on = base.ensure()
    parts.distributions(folder, modified)
    packaged_chart.package(folder, version(), modified)
    parts.plugin(folder, modified)
    parts.images(folder, buildah.LAYOUT, {one.name: one.reference(standing_on) for one in RECIPES}, modified)
    parts.notes(folder, (REPOSITORY / "CHANGELOG.md").read_text())
    signing.sign(folder, key)


def _git(*arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return done.stdout.rstrip()


if __name__ == "__main__":
    main()
