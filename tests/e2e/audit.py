"""The API server's audit log as a witness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


def writes(log: Path, user: str, since: int) -> list[str]:
    """Write requests of `user` after byte `since` of the log, the Lease's renewals excepted: "verb resource/name"."""
    with log.open("rb") as stream:
        stream.seek(since)
        events = [json.loads(line) for line in stream.read().splitlines() if line.endswith(b"}")]
    return [_described(event) for event in events if _is_write(event, user)]


def _is_write(event: dict[str, Any], user: str) -> bool:
    return (
        event["stage"] == "ResponseComplete"
        and event["verb"] in WRITES
        and event["user"]["username"] == user
        and event["objectRef"]["resource"] != "leases"
    )


def _described(event: dict[str, Any]) -> str:
    ref = event["objectRef"]
    path = "/".join(ref[part] for part in ("resource", "subresource", "namespace", "name") if part in ref)
    return f"{event['verb']} {path}"
