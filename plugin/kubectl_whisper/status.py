"""One line about each service: whether it is well, and if not, why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

AS_SPECIFIED: Final = "AsSpecified"
"""The reason of a Ready that has nothing to add."""


@dataclass(frozen=True)
class Row:
    namespace: str
    name: str
    ready: str
    model: str
    pods: str
    """Available ones of those wanted."""
    queued: str
    """Audio that waits in jobs, such as 15m."""
    speed: str
    """Seconds of audio for each second, as the last verification measured on an idle pod."""
    why: str
    """Why it is not ready, or not all as its spec asks for; empty: it is."""


def row(service: Mapping[str, Any]) -> Row:
    """The line about a WhisperService as the API server has it."""
    metadata, status = service["metadata"], service.get("status", {})
    ready = next((one for one in status.get("conditions", ()) if one["type"] == "Ready"), None)
    available, wanted = status.get("availableReplicas", 0), status.get("desiredReplicas")
    speed = status.get("performance", {}).get("realtimeFactor")
    return Row(
        namespace=metadata["namespace"],
        name=metadata["name"],
        ready=ready["status"] if ready else "Unknown",
        model=_model(status.get("model", {})),
        pods=f"{available}/{wanted}" if wanted is not None else "",
        queued=status.get("jobs", {}).get("queuedAudio", ""),
        speed=f"{speed:.1f}x" if speed is not None else "",
        why=_why(ready),
    )


def _model(model: Mapping[str, Any]) -> str:
    """The model that serves, and the one that is to, with the share of its download."""
    served, wanted, progress = model.get("name"), model.get("wanted"), model.get("progress", {})
    if not wanted:
        return served or ""
    total = progress.get("total")
    share = f" ({progress['bytes'] * 100 // total} %)" if total else ""
    return f"{served or ''} -> {wanted}{share}".strip()


def _why(ready: Mapping[str, Any] | None) -> str:
    if ready is None:
        return "the operator has not looked at it yet: see that it runs, and watches this namespace"
    if ready["reason"] == AS_SPECIFIED:
        return ""
    return f"{ready['reason']}: {ready['message']}" if ready.get("message") else ready["reason"]
