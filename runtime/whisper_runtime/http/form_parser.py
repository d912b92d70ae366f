"""Reads the fields of a form, each within its bound: a known speaker's reference is a recording, and longer."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from whisper_runtime.http.openai.speaker_fields import MOST_KNOWN, REFERENCE_KIB, REFERENCES


class FormParser(MultiPartParser):
    file_digest: str | None = None
    """sha256 of the file in hex; None: there is no file, or its digest is not computed."""
    longest_reference = REFERENCE_KIB * 1024
    """Bytes."""

    def __init__(
        self,
        headers: Headers,
        stream: AsyncGenerator[bytes, None],
        *,
        max_files: int | float,
        max_fields: int | float,
        max_part_size: int,
    ) -> None:
        """`max_part_size`: bytes of any other field."""
        super().__init__(headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
        self._longest_field, self._references = max_part_size, 0

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.field_name.removesuffix("[]") != REFERENCES:
            self.max_part_size = self._longest_field
            return
        self._references += 1
        if self._references > MOST_KNOWN:
            raise MultiPartException("Too many references.")
        self.max_part_size = max(self._longest_field, self.longest_reference)
