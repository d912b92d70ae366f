"""The digest of the file in a form, computed as the bytes come: at the last one it is known."""

from __future__ import annotations

import hashlib
from contextlib import aclosing
from typing import Final

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from whisper_runtime.http.form_parser import FormParser
from whisper_runtime.http.request_state import state_of
from whisper_runtime.media.source import HEAD

MULTIPART: Final = "multipart/form-data"
GATHERED_BYTES: Final = 256 * 1024
"""Of a part before they are written. Starlette has a thread write each piece that the network brings, which costs more
of the processor than the digest of it; more than this would be left to write when the last byte is there."""


class DigestedRequest(Request):
    """A request whose form is read by its application's parser; RequestState has the digest where that computes it."""

    async def _get_form(
        self,
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> FormData:
        """As Starlette's, by another parser."""
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._form is None and content_type == MULTIPART:
            async with aclosing(self.stream()) as stream:
                parser = self.app.state.form_parser(
                    self.headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
                )
                try:
                    self._form = await parser.parse()
                except MultiPartException as error:
                    raise HTTPException(400, error.message) from None
            state_of(self.scope).file_digest = parser.file_digest
        return await super()._get_form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)


class DigestingParser(FormParser):
    """Reads a form that has one file at most."""

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self._digest, self._gathered = hashlib.sha256(), bytearray()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        self._digest.update(piece)
        self._gathered += piece
        if len(self._gathered) >= GATHERED_BYTES:
            self._write()

    def on_part_end(self) -> None:
        self._write()
        super().on_part_end()
        _, value = self.items[-1]
        if isinstance(value, UploadFile):
            self.file_digest = self._digest.hexdigest()

    def _write(self) -> None:
        gathered, self._gathered = bytes(self._gathered), bytearray()
        super().on_part_data(gathered, 0, len(gathered))


class HeadParser(DigestingParser):
    """Keeps of the file no more than shows how it is read: for who has its bytes already, and of references nothing."""

    longest_reference = 0

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self._left = HEAD

    def _write(self) -> None:
        if self._current_part.file is not None:
            del self._gathered[self._left :]
            self._left -= len(self._gathered)
        super()._write()
