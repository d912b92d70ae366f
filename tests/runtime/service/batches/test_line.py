"""The lines of a file, as they are read and checked."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from whisper_runtime.service.batches import line as bounds
from whisper_runtime.service.batches.batch import LineFault
from whisper_runtime.service.batches.line import BatchLine, FileCheck, WrongLine, batch_lines, numbered, parsed_line

ENDPOINT = "/v1/audio/transcriptions"


def jsonl(*names: str, **fields: Any) -> bytes:
    return b"".join(json.dumps({"custom_id": name, "body": {}, **fields}).encode() + b"\n" for name in names)


def test_lines_are_counted_with_blank_ones_and_without_a_byte_order_mark() -> None:
    content = b"\xef\xbb\xbf{}\n\n \r\n[]"
    assert list(numbered(io.BytesIO(content))) == [(1, b"{}\n"), (4, b"[]")]


def test_a_line_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_LINE_BYTES", 10)
    with pytest.raises(WrongLine) as wrong:
        list(numbered(io.BytesIO(b"{}\n" + b" " * 11)))
    assert (wrong.value.fault.code, wrong.value.fault.line) == ("line_too_long", 2)
    check = FileCheck(io.BytesIO(b"[" * 11), ENDPOINT, lambda _: None)
    assert not check.step()
    assert [fault.code for fault in check.faults] == ["line_too_long"]


def test_a_line_is_a_request() -> None:
    line = {"custom_id": "a", "method": "POST", "url": ENDPOINT, "body": {"model": "m"}}
    assert parsed_line(3, json.dumps(line).encode(), ENDPOINT) == BatchLine(3, "a", {"model": "m"})
    assert list(batch_lines(io.BytesIO(jsonl("a", "b")), ENDPOINT)) == [BatchLine(1, "a", {}), BatchLine(2, "b", {})]


def test_a_fault_shows_no_more_than_a_little_of_the_line() -> None:
    with pytest.raises(WrongLine) as wrong:
        parsed_line(1, json.dumps({"custom_id": "a", "method": "x" * 10_000}).encode(), ENDPOINT)
    assert len(wrong.value.fault.message) < 200


def test_a_file_is_checked_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CHECKED_AT_ONCE", 2)
    check = FileCheck(io.BytesIO(jsonl("a", "b", "c", "d")), ENDPOINT, lambda _: None)
    assert [check.step(), check.step(), check.step()] == [True, True, False]
    assert (check.total, check.faults) == (4, [])


def test_what_its_reader_finds_is_a_fault() -> None:
    fault = LineFault("invalid_value", "no")
    check = FileCheck(io.BytesIO(jsonl("a", "b")), ENDPOINT, lambda line: fault if line.custom_id == "b" else None)
    assert not check.step()
    assert check.faults == [fault]


def test_a_name_is_given_once() -> None:
    check = FileCheck(io.BytesIO(jsonl("a", "b", "a", "a")), ENDPOINT, lambda _: None)
    check.step()
    assert [(fault.code, fault.line) for fault in check.faults] == [
        ("duplicate_custom_id", 3),
        ("duplicate_custom_id", 4),
    ]
