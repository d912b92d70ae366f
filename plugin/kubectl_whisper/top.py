"""One line about each pod that serves: how much waits there, and how fast it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PodRow:
    namespace: str
    service: str
    pod: str
    ready: str
    queued: str
    """Audio that waits for a row of the batch, of what may wait."""
    free_rows: str
    """Rows of the batch that nothing waits for."""
    speed: str
    """Seconds of audio that all rows together transcribe in a second."""
    why: str
    """Why nothing is known of it; empty: it answered."""


def pod_row(pod: Mapping[str, Any], load: Mapping[str, Any] | str) -> PodRow:
    """The line about a pod as the API server has it; `load`: its LoadReport as JSON, or why there is none."""
    metadata, status = pod["metadata"], pod.get("status", {})
    ready = next((one["status"] for one in status.get("conditions", ()) if one["type"] == "Ready"), "Unknown")
    known: Mapping[str, Any] = {} if isinstance(load, str) else load
    return PodRow(
        namespace=metadata["namespace"],
        service=metadata["labels"]["whisper-operator.io/service"],
        pod=metadata["name"],
        ready=ready,
        queued=f"{known['queuedAudioSeconds']:.0f}s/{known['queueLimitSeconds']:.0f}s" if known else "",
        free_rows=str(known.get("freeRows", "")),
        speed=f"{known['speed']:.1f}x" if known else "",
        why=load if isinstance(load, str) else "",
    )
