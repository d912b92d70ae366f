"""Mirrors on the node itself, where a test can tell them how to misbehave."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.mirror import Mirror, serving, whole
from tests.support.kubectl import Kubectl


@contextmanager
def mirrored(kubectl: Kubectl, content: bytes) -> Iterator[Mirror]:
    """A mirror that pods can reach, and that has `content` until it is told otherwise."""
    with serving(Mirror(content, [whole]), host="0.0.0.0") as found:
        found.url = found.url.replace("0.0.0.0", _node_address(kubectl))
        yield found


def from_mirror(mirror: Mirror, content: bytes, name: str = "base") -> dict[str, Any]:
    """`spec.model`."""
    return {"name": name, "source": {"url": mirror.url, "sha256": hashlib.sha256(content).hexdigest()}}


def saved(checkpoint: Any) -> bytes:
    """The content of a file that torch makes of it."""
    import torch

    stream = io.BytesIO()
    torch.save(checkpoint, stream)
    return stream.getvalue()


def _node_address(kubectl: Kubectl) -> str:
    addresses = kubectl.list("nodes")[0]["status"]["addresses"]
    return next(one["address"] for one in addresses if one["type"] == "InternalIP")
