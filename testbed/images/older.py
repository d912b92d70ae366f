"""Images of earlier trees: each change of a dependency would else leave six gigabytes in the cache, for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from testbed.images import buildah
from testbed.images.layout import REFERENCE, named
from testbed.images.recipe import DEPENDENCIES, RUNTIME, ImageRecipe

KEPT: Final = 3
"""Newest runtimes that stay: a few trees can be worked on in turn without a build each time."""


def discard(dependencies: str) -> None:
    """Removes all runtimes but the newest, and each image of dependencies but `dependencies`."""
    older = older_references(named(buildah.LAYOUT), RUNTIME)
    for reference in (*older, *(one for one in buildah.references(DEPENDENCIES.name) if one != dependencies)):
        buildah.remove(reference)
    forget(buildah.LAYOUT, older)


def older_references(references: Iterable[str], recipe: ImageRecipe) -> list[str]:
    """Those of the recipe's images that are not among the newest, which are last."""
    return [reference for reference in references if reference.split(":")[0] == f"localhost/{recipe.name}"][:-KEPT]


def forget(layout: Path, references: list[str]) -> None:
    """Takes the images out of the layout, with each blob that no other image has."""
    index = json.loads((layout / "index.json").read_text())
    index["manifests"] = [one for one in index["manifests"] if one["annotations"][REFERENCE] not in references]
    partial = layout / "index.json.partial"
    partial.write_text(json.dumps(index))
    partial.replace(layout / "index.json")
    needed = {digest for one in index["manifests"] for digest in _digests(layout, one["digest"])}
    for blob in (layout / "blobs/sha256").iterdir():
        if f"sha256:{blob.name}" not in needed:
            blob.unlink()


def _digests(layout: Path, digest: str) -> set[str]:
    """Of the image's manifest, and of all that it names."""
    manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
    return {digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
