"""The inputs of each image, and the name that follows from it: pure but for reading the files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.paths import REPOSITORY


@dataclass(frozen=True)
class ImageRecipe:
    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    """Files and folders of the repository that the Dockerfile copies."""

    def reference(self, base: str, root: Path = REPOSITORY) -> str:
        """The image's name: its tag is the hash of everything that goes in."""
        digest = hashlib.sha256(base.encode())
        for file in files(root, (self.dockerfile, *self.inputs)):
            digest.update(b"\0" + str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
        return f"localhost/{self.name}:{digest.hexdigest()[:12]}"


OPERATOR: Final = ImageRecipe(
    "whisper-operator",
    "Dockerfile.operator",
    (
        "hack/requirements/operator.txt",
        "operator/whisper_operator",
        "runtime/whisper_runtime/__init__.py",
        "runtime/whisper_runtime/contract",
    ),
)
_PACKAGES: Final = ("hack/requirements/runtime.txt", "hack/requirements/runtime-unused.txt")
RUNTIME: Final = ImageRecipe("whisper-runtime", "Dockerfile.runtime", (*_PACKAGES, "runtime/whisper_runtime"))
DEPENDENCIES: Final = ImageRecipe("whisper-runtime-dependencies", "Dockerfile.runtime", _PACKAGES)
"""The Dockerfile's stage of that name: nearly all of the runtime's image, and seldom another."""
RECIPES: Final = (OPERATOR, RUNTIME)


def files(root: Path, inputs: Iterable[str]) -> list[Path]:
    """Every file below the inputs, in order, compiled Python excepted."""
    found = [
        file for path in inputs for file in ((root / path).rglob("*") if (root / path).is_dir() else [root / path])
    ]
    return sorted(file for file in found if file.is_file() and "__pycache__" not in file.parts)
