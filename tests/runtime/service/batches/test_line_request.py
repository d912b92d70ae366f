"""The recording of a line, wherever it is, is open while it is decoded."""

from __future__ import annotations

import base64

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.service.batches.conftest import ANN, content, file_draft
from whisper_runtime.errors import HttpError
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.batches.line_request import FileReference, InlineRecording, LineSource, opened
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.downloads import RemoteFile


async def read(store: BatchStore, source: LineSource) -> tuple[bytes, DeclaredType]:
    with fake_parts(FakeEngine()).admission.in_background(ANN) as admitted:
        async with opened(store, source, admitted) as media:
            assert isinstance(media, MediaFile)
            return media.content.read(), media.declared


async def test_an_uploaded_file_has_its_name(batch_store: BatchStore) -> None:
    file = await batch_store.put_file(file_draft(purpose="user_data", filename="a.ulaw"), content(b"speech"))
    assert await read(batch_store, FileReference("file_id", file.id)) == (b"speech", DeclaredType("", "a.ulaw"))


async def test_an_inline_recording_has_its_type(batch_store: BatchStore) -> None:
    inline = InlineRecording("file", "audio/wav", base64.encodebytes(b"speech").decode())  # with a line's end
    assert await read(batch_store, inline) == (b"speech", DeclaredType("audio/wav", ""))


async def test_a_remote_file_is_fetched_later(batch_store: BatchStore) -> None:
    source = RemoteFile("https://example.com/a.wav")
    with fake_parts(FakeEngine()).admission.in_background(ANN) as admitted:
        async with opened(batch_store, source, admitted) as media:
            assert media == source


@pytest.mark.parametrize(
    ("source", "status"), [(FileReference("file", "file-1"), 404), (InlineRecording("file", "", "not base64"), 400)]
)
async def test_what_is_not_there_is_said_of_the_lines_field(
    batch_store: BatchStore, source: LineSource, status: int
) -> None:
    with pytest.raises(HttpError) as refused:
        await read(batch_store, source)
    assert (refused.value.status_code, refused.value.body["param"]) == (status, "file")


async def test_an_inline_recording_has_its_share_of_the_disk(batch_store: BatchStore) -> None:
    parts = fake_parts(FakeEngine(), max_scratch_bytes=1000)
    with parts.admission.in_background(ANN) as admitted, pytest.raises(HttpError) as refused:
        async with opened(batch_store, InlineRecording("file", "", "A" * 4000), admitted):
            pass
    assert (refused.value.status_code, parts.admission.disk.used) == (503, 0)
