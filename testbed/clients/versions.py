"""The version of a package in what a folder of tests/clients pins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PINS: Final = {
    "python": ("requirements.txt", r"^{}==(\S+)"),
    "node": ("package.json", r'"{}": "([^"]+)"'),
    "go": ("go.mod", r"{} v(\S+)"),
    "java": ("pom.xml", r"<artifactId>{}</artifactId>\s*<version>([^<]+)<"),
    "rust": ("Cargo.toml", r'^{} = .*?"=([^"]+)"'),
}
"""File and pattern by language; {} stands for the package."""


def version(language: str, package: str, folder: Path) -> str:
    """The version that the file of `folder` pins; raises LookupError where it pins none."""
    file, pattern = PINS[language]
    name = re.escape(package.rpartition(":")[2])
    found = re.search(pattern.format(name), (folder / file).read_text(), re.M | re.I)
    if not found:
        raise LookupError(f"{folder / file} pins no version of {package}")
    return found[1]
