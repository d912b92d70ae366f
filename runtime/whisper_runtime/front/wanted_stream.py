"""Whether a form asks for a stream of events: only then may a client be sent anything before there is an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from whisper_runtime.front.spool import PIECE_BYTES

STREAM: Final = b"stream"
FORMAT: Final = b"response_format"
YES: Final = frozenset({b"true", b"1", b"yes", b"on", b"t", b"y"})
"""What pydantic reads as true, in small letters."""
STREAMED: Final = frozenset({b"", b"json", b"text", b"diarized_json"})
"""The formats that can be streamed; empty: the form names none."""
LONGEST: Final = 32
"""Bytes that are kept of a value; no value of these is longer."""


@dataclass
class FormPart:
    """The part of a form that is read now."""

    header: bytearray = field(default_factory=bytearray)
    disposition: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)

    @property
    def name(self) -> bytes:
        return parse_options_header(self.disposition.decode("latin-1"))[1].get(b"name", b"")


def asks_for_stream(file: IO[bytes], content_type: str) -> bool:
    """Whether the form in `file`, which is read from its beginning, is multipart and asks for events.

    A server judges whether the form is right: one that cannot be read asks for none.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary or not content_type.lower().startswith("multipart/form-data"):
        return False
    fields: dict[bytes, bytes] = {}
    try:
        parser = _parser(boundary, fields)
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            parser.write(piece)
    except (FormParserError, ValueError):
        return False
    return fields.get(STREAM, b"").lower() in YES and fields.get(FORMAT, b"") in STREAMED


def _parser(boundary: bytes, fields: dict[bytes, bytes]) -> MultipartParser:
    """A parser that puts the two fields of interest into `fields`."""
    part = FormPart()

    def on_part_begin() -> None:
        part.header, part.disposition, part.value = bytearray(), bytearray(), bytearray()

    def on_header_begin() -> None:
        part.header = bytearray()

    def on_header_field(data: bytes, start: int, end: int) -> None:
        part.header += data[start:end]

    def on_header_value(data: bytes, start: int, end: int) -> None:
        if bytes(part.header).lower() == b"content-disposition":
            part.disposition += data[start:end]

    def on_part_data(data: bytes, start: int, end: int) -> None:
        part.value += data[start : min(end, start + LONGEST - len(part.value))]

    def on_part_end() -> None:
        if part.name in (STREAM, FORMAT):
            fields[part.name] = bytes(part.value)

    return MultipartParser(
        boundary,
        {
            "on_part_begin": on_part_begin,
            "on_header_begin": on_header_begin,
            "on_header_field": on_header_field,
            "on_header_value": on_header_value,
            "on_part_data": on_part_data,
            "on_part_end": on_part_end,
        },
    )
