"""The lines of a batch's file: JSON objects, each a request with a name of its own; pure but for the reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final, cast

from whisper_runtime.service.batches.batch import LineFault

MOST_LINES: Final = 50_000
"""OpenAI's bound on the requests of a batch."""
MOST_FILE_BYTES: Final = 200 * 1024**2
"""OpenAI's bound on their file."""
MOST_LINE_BYTES: Final = 32 * 1024**2
"""A line may have a recording in it, in base64; a longer one is a file of its own."""
LONGEST_CUSTOM_ID: Final = 512
MOST_FAULTS: Final = 100
"""Faults that are named of one file."""
CHECKED_AT_ONCE: Final = 100
METHODS: Final = frozenset({"POST", "FILE"})
"""`FILE` is Together's word for a request with a file."""
ESCAPED_SURROGATE: Final = b"\\ud"
SHOWN: Final = 100
"""Characters that a fault repeats of what a client sent."""


@dataclass(frozen=True)
class BatchLine:
    number: int
    """From 1 on, of all lines of the file."""
    custom_id: str
    body: Mapping[str, Any]
    """The fields of the request."""


class WrongLine(Exception):
    def __init__(self, fault: LineFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


CheckLine = Callable[[BatchLine], LineFault | None]
"""What is wrong with a line's request; None: nothing that shows before its recording is there."""


def numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, and their numbers; raises WrongLine for one that is too long."""
    number = 0
    while raw := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        if len(raw) > MOST_LINE_BYTES:
            message = f"Line {number} is longer than {MOST_LINE_BYTES} bytes: upload its recording, and send `file_id`."
            raise WrongLine(LineFault("line_too_long", message, line=number))
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.isspace():
            yield number, raw


def parsed_line(number: int, raw: bytes, endpoint: str) -> BatchLine:
    """The request in a line; raises WrongLine where it is none to `endpoint`."""

    def wrong(code: str, message: str, param: str | None = None) -> WrongLine:
        return WrongLine(LineFault(code, f"Line {number}: {message}", param, number))

    try:
        found: Any = json.loads(raw, parse_constant=_no_number)
        if ESCAPED_SURROGATE in raw.lower():
            json.dumps(found, ensure_ascii=False).encode()  # a half of a pair is no character
    except (ValueError, RecursionError) as error:
        what = getattr(error, "msg", str(error)[:SHOWN])
        raise wrong("invalid_json_line", f"it is not JSON ({what}): write one object, and no line end in it.") from None
    if not isinstance(found, dict):
        raise wrong("invalid_json_line", "it is JSON, but not an object: write {…}.")
    line = cast(dict[str, Any], found)
    name, method, url, body = (line.get(key) for key in ("custom_id", "method", "url", "body"))
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_CUSTOM_ID:
        message = f"`custom_id` should be a text of 1 to {LONGEST_CUSTOM_ID} characters, which its answer has, too."
        raise wrong("missing_required_parameter" if name is None else "invalid_value", message, "custom_id")
    if method is not None and method not in METHODS:
        raise wrong("invalid_method", f"`method` is {_shown(method)}: write POST.", "method")
    if url is not None and url != endpoint:
        message = f"`url` is {_shown(url)}, and the batch's `endpoint` {endpoint}: make them the same."
        raise wrong("mismatched_url", message, "url")
    if not isinstance(body, dict):
        code = "missing_required_parameter" if body is None else "invalid_value"
        raise wrong(code, "`body` should be an object with the fields of the request.", "body")
    return BatchLine(number, name, cast(dict[str, Any], body))


def batch_lines(file: IO[bytes], endpoint: str) -> Iterator[BatchLine]:
    """The lines of a file that was checked."""
    return (parsed_line(number, raw, endpoint) for number, raw in numbered(file))


class FileCheck:
    """Goes through a batch's file and finds what is wrong with it, before any line of it is begun."""

    def __init__(self, file: IO[bytes], endpoint: str, check: CheckLine) -> None:
        self._lines, self._endpoint, self._check = numbered(file), endpoint, check
        self._first: dict[str, int] = {}
        """The line of each `custom_id`."""
        self.total = 0
        self.faults: list[LineFault] = []

    def step(self) -> bool:
        """Checks some lines; returns whether there are more. Blocks."""
        count = 0
        try:
            for number, raw in islice(self._lines, CHECKED_AT_ONCE):
                count += 1
                self.total += 1
                if fault := self._fault(number, raw):
                    self.faults.append(fault)
        except WrongLine as wrong:
            self.faults.append(wrong.fault)
            return False
        if self.total > MOST_LINES:
            message = f"The file has more than {MOST_LINES} requests: make several batches of it."
            self.faults.append(LineFault("too_many_requests", message))
        if not self.total:
            self.faults.append(LineFault("empty_file", "The file has no request: write one in each line."))
        return count == CHECKED_AT_ONCE and len(self.faults) < MOST_FAULTS and self.total <= MOST_LINES

    def _fault(self, number: int, raw: bytes) -> LineFault | None:
        try:
            line = parsed_line(number, raw, self._endpoint)
        except WrongLine as wrong:
            return wrong.fault
        if (first := self._first.setdefault(line.custom_id, number)) != number:
            message = f"Line {number}: `custom_id` is {_shown(line.custom_id)}, as in line {first}: give each its own."
            return LineFault("duplicate_custom_id", message, "custom_id", number)
        return self._check(line)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _shown(value: Any) -> str:
    return repr(value)[:SHOWN]
