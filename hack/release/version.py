"""The version, which pyproject.toml has, and every other place that repeats it.

python -m hack.release.version VERSION writes it to all of them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

from testbed.paths import REPOSITORY

PLACES: Final = {
    "pyproject.toml": r'^version = "(.+)"$',
    "runtime/whisper_runtime/contract/version.py": r'^VERSION: Final = "(.+)"$',
    "charts/whisper-operator/Chart.yaml": r"^(?:version|appVersion): (.+)$",
    "Dockerfile.operator": r'org\.opencontainers\.image\.version="(.+?)"',
    "Dockerfile.runtime": r'org\.opencontainers\.image\.version="(.+?)"',
    "README.md": r"whisper-(?:operator|runtime):(\d[\w.-]*\w)",
    "docs/tutorial.md": r"whisper-(?:operator|runtime):(\d[\w.-]*\w)",
    "docs/how-to/long-recordings.md": r"whisper-(?:operator|runtime):(\d[\w.-]*\w)",
    "docs/how-to/model-sources.md": r"whisper-(?:operator|runtime):(\d[\w.-]*\w)",
}
"""Pattern, whose group is the version, by the file in which it occurs once or more."""
SEMANTIC: Final = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
"""https://semver.org, without build metadata: a tag of an image has no `+`."""


def version(root: Path = REPOSITORY) -> str:
    """That of the distribution."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]


def written(root: Path = REPOSITORY) -> dict[str, list[str]]:
    """Every version that stands in the places, by file."""
    return {place: re.findall(pattern, (root / place).read_text(), re.M) for place, pattern in PLACES.items()}


def write(wanted: str, root: Path = REPOSITORY) -> None:
    """Puts `wanted` into every place; raises SystemExit for what is no version."""
    if not SEMANTIC.fullmatch(wanted):
        raise SystemExit(f"version {wanted!r} is not like 1.2.3 or 1.2.3-rc.1: https://semver.org")
    for place, pattern in PLACES.items():
        file = root / place
        file.write_text(re.sub(pattern, lambda found: _replaced(found, wanted), file.read_text(), flags=re.MULTILINE))


def _replaced(found: re.Match[str], wanted: str) -> str:
    start = found.start(1) - found.start()
    return found[0][:start] + wanted + found[0][start + len(found[1]) :]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m hack.release.version VERSION")
    write(sys.argv[1])
