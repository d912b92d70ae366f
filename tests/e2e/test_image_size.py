"""What a node, or a registry, is sent of the runtime's image: the first time, and when the code alone is another."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from testbed.demo import platform
from testbed.images import buildah
from testbed.images.layout import named

WHOLE: Final = 5.0e9
OF_THE_CODE: Final = 10.0e6


@pytest.fixture(scope="module")
def layers() -> list[dict[str, Any]]:
    """The layers of the runtime that the cluster runs, as the layout has them, the lowest first."""
    entry = named(buildah.LAYOUT)[platform.images()["runtime"]]
    manifest = buildah.LAYOUT / "blobs" / entry["digest"].replace(":", "/")
    return json.loads(manifest.read_text())["layers"]


def test_the_whole_image_is_at_most_5_gb(layers: list[dict[str, Any]]) -> None:
    """Unpacked: those of the dependencies are in the layout as they are."""
    assert sum(layer["size"] for layer in layers) <= WHOLE
    assert {layer["mediaType"].rpartition(".")[2] for layer in layers[:2]} == {"tar"}


def test_an_upgrade_of_the_code_alone_moves_at_most_10_mb(layers: list[dict[str, Any]]) -> None:
    """The two largest layers are the system and the packages, neither of which the code is in."""
    *_, largest = sorted(range(len(layers)), key=lambda at: layers[at]["size"])
    assert sum(layer["size"] for layer in layers[largest + 1 :]) <= OF_THE_CODE
