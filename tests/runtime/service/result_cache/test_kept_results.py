"""What is kept is found by the upload, and by the audio; each under the name of its client and its decoder."""

from __future__ import annotations

import io
from typing import Final

import pytest

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.media.raw_audio import DeclaredType
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, MediaFile
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.result_cache.content import KnownAudio
from whisper_runtime.service.result_cache.kept_results import KeptResults
from whisper_runtime.service.result_cache.store import MemoryStore

WAV: Final = DeclaredType("audio/wav", "a.wav")


def kept(store: MemoryStore, decoder: str = "ffmpeg 7", *, is_shared: bool = False) -> KeptResults:
    model = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL)
    return KeptResults(store, store, model, decoder=decoder, is_shared=is_shared)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(1024**2, 60)


def name(of: KeptResults, client: str = "alice", declared: DeclaredType = WAV) -> str | None:
    return of.upload_key(client, "f" * 64, MediaFile(io.BytesIO(b"x"), declared), Options(), DEFAULT_AUDIO)


def test_an_upload_has_a_name_for_each_client_and_decoder(store: MemoryStore) -> None:
    found = {name(kept(store)), name(kept(store), "bob"), name(kept(store, "ffmpeg 8"))}
    assert len(found) == 3
    assert name(kept(store, is_shared=True)) == name(kept(store, is_shared=True), "bob")


def test_an_upload_of_which_nobody_knows_how_to_read_it_has_none(store: MemoryStore) -> None:
    assert name(kept(store), declared=DeclaredType("audio/L16", "a")) is None


def test_the_name_does_not_take_the_file_from_its_reader(store: MemoryStore) -> None:
    file = MediaFile(io.BytesIO(b"content"), WAV)
    kept(store).upload_key("alice", "f" * 64, file, Options(), DEFAULT_AUDIO)
    assert file.content.read() == b"content"


async def test_audio_that_another_version_kept_is_none(store: MemoryStore) -> None:
    await kept(store).keep_audio("upload", KnownAudio("d" * 64, None))
    assert await kept(store).audio("upload") == KnownAudio("d" * 64, None)
    await store.put("upload", b'{"sha256": "d"}')
    assert await kept(store).audio("upload") is None


def test_nothing_is_kept_of_a_sample_or_before_the_model_is_known(store: MemoryStore) -> None:
    model = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL)
    results = KeptResults(store, store, model, decoder="", is_shared=False)
    assert not results.keeps(Options())
    model.has_digest("c" * 64)
    assert results.keeps(Options())
    assert not results.keeps(Options(temperatures=(0.5,)))
