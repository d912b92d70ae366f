"""The audit log is read from where it ended at a moment, which may be in the middle of a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.audit import AuditLogReader

USER = "system:serviceaccount:default:operator"


def line_of(name: str) -> bytes:
    event = {
        "verb": "patch",
        "user": {"username": USER},
        "stage": "ResponseComplete",
        "objectRef": {"resource": "deployments", "namespace": "default", "name": name},
        "requestURI": f"/apis/apps/v1/namespaces/default/deployments/{name}",
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-28T17:05:20.523145Z",
        "stageTimestamp": "2026-11-28T17:05:20.570303Z",
    }
    return json.dumps(event).encode() + b"\n"


def names(reader: AuditLogReader) -> list[str]:
    return [one.name for one in reader.read()]


@pytest.mark.parametrize("logged", [0, 1, 40, -1], ids=["nothing", "a byte", "a part", "all but its end"])
def test_a_line_that_was_being_written_came_before(tmp_path: Path, logged: int) -> None:
    log, last = tmp_path / "audit.log", line_of("b")
    log.write_bytes(line_of("a") + last[:logged])
    reader = AuditLogReader(log, USER, log.stat().st_size)
    assert names(reader) == []
    log.write_bytes(line_of("a") + last + line_of("c"))
    assert names(reader) == (["c"] if logged else ["b", "c"])


def test_all_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(line_of("a") + line_of("b")[:40])
    reader = AuditLogReader(log, USER)
    assert names(reader) == ["a"]
    log.write_bytes(line_of("a") + line_of("b"))
    assert names(reader) == ["b"]
    assert names(reader) == []


def test_a_log_that_became_shorter_is_told(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(line_of("a"))
    reader = AuditLogReader(log, USER, log.stat().st_size)
    log.write_bytes(b"")
    with pytest.raises(ValueError, match="shorter"):
        names(reader)
