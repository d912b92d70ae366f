"""What an OCI layout has: https://github.com/opencontainers/image-spec/blob/main/image-layout.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

REFERENCE: Final = "org.opencontainers.image.ref.name"


def named(layout: Path) -> dict[str, dict[str, Any]]:
    """By reference, what the layout's index says of each image that is in it whole, the newest last.

    An image is named there once all of it has been written: none is where a push broke off.
    """
    index = layout / "index.json"
    if not index.exists():
        return {}
    return {one["annotations"][REFERENCE]: one for one in json.loads(index.read_text())["manifests"]}
